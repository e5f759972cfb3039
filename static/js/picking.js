/* Messages picked on the timeline, to be put elsewhere: a second matter, another live case, another person. */
import { $, $$, act, openCase, say } from "./page.js";
import { key } from "./keys.js";
import { afterPatch } from "./patch.js";

const bar = () => $("#picking");
const isPicking = () => Boolean(bar()) && !bar().hidden;
const rows = () => $$("#timeline > .t-row[data-entry]:not(.event, .filed)");
const boxes = () => $$("#timeline .picker-box");
const picked = new Set();
let at = ""; // the box that has the focus, also while its row is drawn anew

function addBox(row) {
  if ($(".picker-box", row)) return;
  const box = document.createElement("input");
  box.type = "checkbox";
  box.className = "picker-box";
  box.value = row.dataset.entry;
  box.checked = picked.has(box.value);
  box.setAttribute("aria-label", `Pick: ${row.getAttribute("aria-label") ?? "this message"}`);
  row.prepend(box);
  if (box.value === at && document.activeElement === document.body) box.focus({ preventScroll: true });
}

function tell() {
  const count = picked.size;
  $("[data-count]", bar()).textContent = count === 1 ? "1 message" : `${count} messages`;
  for (const button of $$("[data-needs-picked]", bar())) button.disabled = !count;
}

function offerMatters() {
  const place = $("[data-matters]", bar());
  place.replaceChildren(...$$("#matters [data-matter]").map((matter) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button";
    button.dataset.act = "picked-move";
    button.dataset.to = matter.dataset.matter;
    button.dataset.needsPicked = "";
    button.textContent = `To #${matter.dataset.matter}`;
    button.title = matter.dataset.subject;
    return button;
  }));
}

function begin() {
  if (!bar()) return false;
  picked.clear();
  bar().hidden = false;
  $("#timeline").classList.add("picking");
  offerMatters();
  rows().forEach(addBox);
  tell();
  const first = boxes().findLast((box) => box.closest("[data-kind=message]")) ?? boxes().at(-1);
  first?.focus();
  say("Pick messages with the space bar; the arrow keys go from one to the next.");
  return true;
}

function end() {
  picked.clear();
  boxes().forEach((box) => box.remove());
  $("#timeline")?.classList.remove("picking");
  if (bar()) bar().hidden = true;
}

afterPatch((element) => {
  if (!isPicking()) return;
  if (element.matches(".t-row[data-entry]:not(.event, .filed)")) addBox(element);
  if (element.id === "timeline") end();
  if (element.id === "matters") { offerMatters(); tell(); }
});

document.addEventListener("change", (event) => {
  if (!event.target.matches(".picker-box")) return;
  if (event.target.checked) picked.add(event.target.value); else picked.delete(event.target.value);
  tell();
});

document.addEventListener("focusin", (event) => { at = event.target.matches(".picker-box") ? event.target.value : ""; });

/** While picking, a click anywhere on a message picks it. */
document.addEventListener("click", (event) => {
  const row = isPicking() && event.target.closest("#timeline .t-row[data-entry]");
  if (!row || event.target.closest("a, button, input, summary") || String(getSelection())) return;
  $(".picker-box", row)?.click();
});

document.addEventListener("keydown", (event) => {
  if (!event.target.matches?.(".picker-box") || !["ArrowDown", "ArrowUp"].includes(event.key)) return;
  const all = boxes(), next = all[all.indexOf(event.target) + (event.key === "ArrowDown" ? 1 : -1)];
  if (next) { event.preventDefault(); next.focus(); next.closest(".t-row").scrollIntoView({ block: "nearest" }); }
});

const post = (path, values) => htmx.ajax("POST", `/cases/${openCase()}/${path}/`, { source: "#timeline", target: "#timeline", swap: "patch", values });

act("pick-messages", begin);
act("picked-cancel", end);
act("picked-split", () => post("split", { entries: [...picked].join(",") }));
act("picked-move", (button) => post("move", { entries: [...picked].join(","), to: button.dataset.to }));
act("picked-else", () => location.assign(`/cases/${openCase()}/somebody-else/?entries=${[...picked].join(",")}`));
act("move-entry", (button) => post("move", { entries: button.closest("[data-entry]").dataset.entry }));
document.addEventListener("picked", end);
document.addEventListener("case:opened", end);

/** The message that has the focus, else the last that the customer wrote. */
function moveOne() {
  if (!$("#case-head[data-beside]")) return false;
  const row = document.activeElement?.closest?.("#timeline [data-entry]") ?? $$("#timeline [data-kind=message]").at(-1);
  if (row) post("move", { entries: row.dataset.entry });
  return Boolean(row);
}

const group = { group: "Case" };
key("x", "Pick messages", () => (isPicking() ? end() : begin()), group);
key("m", "Move a message to the other matter", moveOne, group);
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && isPicking()) { event.preventDefault(); end(); }
}, true);
