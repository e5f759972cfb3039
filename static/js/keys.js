/* Single-letter keys, from one registry; the sheet behind ? is made from it. Never Alt or Option. */
import { $, act, me } from "./page.js";

const registry = [];
let first = "", firstAt = 0;

/** `keys`: "j", "g i", "Control+Enter". `run` gets the event; returning false lets the next one have it that is called
    so, and at last the browser. */
export function key(keys, words, run, { group = "Case", always = false } = {}) {
  registry.push({ keys, words, run, group, always });
}

const isTyping = (element) => element?.closest?.("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]");

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.isComposing || event.altKey) return;
  const modified = event.ctrlKey || event.metaKey;
  const name = `${modified ? "Control+" : ""}${modified && event.shiftKey ? "Shift+" : ""}${event.key}`;
  const sequence = first && Date.now() - firstAt < 1200 ? `${first} ${name}` : "";
  const typing = isTyping(event.target) || $("dialog[open]");
  const known = [sequence, name].map((keys) => registry.filter((each) => each.keys === keys)).find((each) => each.length) ?? [];
  const found = known.filter((each) => each.always || modified || (!typing && me.keys));
  if (found.length) {
    first = "";
    if (found.some((each) => each.run(event) !== false)) event.preventDefault();
    return;
  }
  const starts = !typing && me.keys && !modified && registry.some((each) => each.keys.startsWith(`${name} `));
  [first, firstAt] = starts ? [name, Date.now()] : ["", 0];
});

/** Presses the visible button that carries this letter. */
export function press(letter) {
  const button = [...document.querySelectorAll(`[data-key="${letter}"]`)].find((each) => each.checkVisibility() && !each.disabled);
  button?.click();
  return Boolean(button);
}

const CAPS = { Escape: "Esc", E: "Shift E", "Control+Enter": "Ctrl Enter", "Control+Shift+Enter": "Ctrl Shift Enter" };

function sheet() {
  const list = $("#shortcuts-list");
  list.replaceChildren();
  for (const group of [...new Set(registry.map((each) => each.group))]) {
    const title = document.createElement("h3");
    title.textContent = group;
    const rows = document.createElement("dl");
    for (const { keys, words } of registry.filter((each) => each.group === group && each.words)) {
      const term = document.createElement("dt"), value = document.createElement("dd");
      for (const part of keys === " " ? ["Space"] : keys.split(" ")) {
        const cap = document.createElement("kbd");
        cap.textContent = CAPS[part] ?? part.replaceAll("+", " ");
        term.append(cap);
      }
      value.textContent = words;
      rows.append(term, value);
    }
    list.append(title, rows);
  }
  $("#shortcuts").showModal();
}

act("shortcuts", () => { $("#me-menu")?.hidePopover(); sheet(); });
document.addEventListener("click", (event) => { if (event.target.id === "shortcuts") event.target.close(); });

key("?", "This sheet", sheet, { group: "Everywhere" });
key("/", "Search", () => { const q = $("#q"); if (q) q.focus(); else location.assign("/search/"); }, { group: "Everywhere" });
for (const [letter, words, address] of [
  ["m", "Mine", "/inbox/mine/"], ["u", "Nobody's yet", "/inbox/unassigned/"], ["i", "All open", "/inbox/open/"],
  ["s", "Snoozed", "/inbox/snoozed/"], ["a", "Alerts", "/alerts/"], ["c", "Customers", "/customers/"], ["b", "Live board", "/board/"],
]) key(`g ${letter}`, words, () => location.assign(address), { group: "Go to" });
