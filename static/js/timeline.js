/* The conversation: rows that arrive find their place, and nobody's reading place is lost. */
import { $, $$, act, now, openCase, say } from "./page.js";
import { afterPatch, placing } from "./patch.js";
import "./picking.js";

const NEAR = 80; // pixels from the end within which the timeline follows
const box = () => $("#timeline");
const order = (row) => Number(row.dataset.order);
export const atEnd = () => { const line = box(); return line.scrollHeight - line.scrollTop - line.clientHeight < NEAR; };

export function toEnd() {
  const line = box();
  if (line) line.scrollTop = line.scrollHeight;
  $("#new-message")?.setAttribute("hidden", "");
}

/** The newest entry that is on the page. */
export const newest = () => Math.max(0, ...$$("#timeline [id^=entry-]").map((row) => Number(row.id.slice(6))));

placing((row) => {
  if (!row.matches(".t-row") || !box()) return false;
  const before = $$("#timeline > .t-row").findLast((each) => order(each) <= order(row));
  const first = $("#timeline > .t-row");
  if (!before && first && order(row) < order(first)) return true; // above what is loaded: "Earlier" brings it
  const follow = atEnd();
  if (before) before.after(row);
  else box().append(row);
  row.classList.add("arrived");
  if (row.dataset.entry) arrived(row, follow);
  else if (follow) toEnd();
  return true;
});

function arrived(row, follow) {
  const isOurs = row.matches(".reply, .note, .event");
  if (follow || row.dataset.kind === "reply") requestAnimationFrame(toEnd);
  else if (!isOurs) $("#new-message").hidden = false;
  const inbound = row.dataset.kind === "message" || row.dataset.kind === "participant";
  if (inbound) say(`New message: ${row.getAttribute("aria-label")}`);
}

afterPatch((element, isNew) => {
  if (!isNew && element.matches(".t-row")) element.classList.remove("arrived");
});

/** Older rows come in above; the row being read stays where it is, and a day is named once. */
let anchor = null;
document.addEventListener("htmx:before:swap", (event) => {
  const button = event.detail?.ctx?.sourceElement;
  if (!button?.matches?.(".earlier")) return;
  const line = box();
  anchor = { fromEnd: line.scrollHeight - line.scrollTop };
});
document.addEventListener("htmx:after:swap", () => {
  if (!anchor || !box()) return;
  const line = box(), seen = new Set();
  for (const day of $$(".t-row.day", line)) {
    if (seen.has(day.id)) day.remove();
    seen.add(day.id);
  }
  line.dataset.loose = $(".earlier", line)?.dataset.loose ?? "";
  line.scrollTop = line.scrollHeight - anchor.fromEnd;
  anchor = null;
});

/** While the end is in view it stays in view, though images load and the composer grows. */
let follows = true;
document.addEventListener("scroll", (event) => {
  if (event.target !== box()) return;
  follows = atEnd();
  if (follows) $("#new-message")?.setAttribute("hidden", "");
}, { capture: true, passive: true });
document.addEventListener("load", (event) => { if (follows && event.target.closest?.("#timeline")) toEnd(); }, true);
const sizes = new ResizeObserver(() => { if (follows) toEnd(); });

act("to-bottom", toEnd);

act("jump", (target, event) => {
  const row = document.getElementById(target.getAttribute("href").slice(1));
  if (!row) return;
  event.preventDefault();
  row.scrollIntoView({ block: "center" });
  row.classList.remove("found");
  void row.offsetWidth;
  row.classList.add("found");
});

act("pin", (target) => {
  const row = target.closest("[data-entry]");
  const words = String(getSelection()).trim();
  const value = row.contains(getSelection().anchorNode) ? words : "";
  htmx.ajax("POST", `/cases/${openCase()}/facts/`, { source: target, target: "#timeline", swap: "patch", values: { entry: row.dataset.entry, value } });
});

/** "Sending in 4 s": the server said until when; when the time is over the row is asked for again. */
setInterval(() => {
  for (const line of $$("[data-until]")) {
    const left = Math.ceil((Date.parse(line.dataset.until) - now()) / 1000);
    line.textContent = left > 0 ? `Sending in ${left} s` : "Sending";
    if (left <= 0) {
      line.parentElement.querySelector("[data-undo]")?.previousSibling?.remove();
      line.parentElement.querySelector("[data-undo]")?.remove();
      line.removeAttribute("data-until");
    }
  }
}, 250);

function start() {
  if (!box()) return;
  follows = true;
  sizes.disconnect();
  sizes.observe(box());
  const wanted = location.hash.startsWith("#entry-") && document.getElementById(location.hash.slice(1));
  if (wanted) { follows = false; wanted.scrollIntoView({ block: "center" }); }
  else toEnd();
}
document.addEventListener("case:opened", start);
start();
