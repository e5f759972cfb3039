/* The list: moving through it, and filing rows that arrive under the view that is open. */
import { $, $$, act, me, openCase, say, view } from "./page.js";
import { key } from "./keys.js";
import { afterPatch, placing } from "./patch.js";

const rows = () => $$("#rows > .row");
const link = (row) => row?.querySelector("a");
const pill = () => $("#new-rows");
let hidden = new Map(); // rows that came while the agent was further down

/** The same rules as VIEWS in inbox/views/inbox.py. */
const HOLDS = {
  mine: (row) => row.live && row.assignee === String(me.id) && row.status !== "snoozed",
  unassigned: (row) => row.live && !row.assignee && row.status !== "snoozed",
  open: (row) => row.live && row.status === "open",
  waiting: (row) => row.live && row.status === "waiting",
  snoozed: (row) => row.live && row.status === "snoozed",
  resolved: (row) => row.status === "resolved",
};
const WHERE = { resolved: "Resolved", snoozed: "Snoozed", waiting: "Waiting on customer" };
const where = (row) => WHERE[row.status] ?? (!row.live ? "In another case now" : null) ?? (["mine", "unassigned"].includes(view()) ? (row.assignee ? "Somebody has it now" : "Nobody has it now") : "Open again");

const belongs = (row) => {
  const sort = $("#list")?.dataset.sort;
  return Boolean(HOLDS[view()]?.(row.dataset)) && (sort !== "moved" || Boolean(row.dataset.moved));
};

/** Once per row that was drawn without knowing who looks. */
export function personalise(row, old, unread) {
  const address = `/inbox/${view() || "open"}/c/${row.dataset.case}/`;
  link(row).setAttribute("href", address);
  const author = row.querySelector("[data-author]");
  if (author?.dataset.author === me.name) author.textContent = "You:";
  const isOpen = openCase() === Number(row.dataset.case) && !document.hidden;
  row.classList.toggle("unread", !isOpen && Boolean(row.dataset.since) && (unread || Boolean(old?.classList.contains("unread"))));
  const draft = old?.querySelector("em.draft");
  if (draft) row.querySelector(".preview").replaceChildren(...draft.parentNode.childNodes);
}

/** A row pushed or fetched: in its place if it is shown, put in at an edge if it belongs here and is not.
    True when the view holds more or fewer cases now. */
export function take(row, { unread = false, personal = false } = {}) {
  const old = document.getElementById(row.id);
  if (old && Number(old.dataset.version) > Number(row.dataset.version)) return false;
  const held = Boolean(old) && !old.classList.contains("gone");
  if (!personal) personalise(row, old, unread);
  if (old) {
    const focused = old.contains(document.activeElement);
    const told = Number(old.dataset.last) !== Number(row.dataset.last);
    old.replaceWith(row);
    htmx.process(row);
    if (told) row.classList.add("fresh");
    if (focused) link(row).focus({ preventScroll: true });
    leave(row);
  } else if (belongs(row)) {
    insert(row);
  }
  mark();
  return held !== belongs(row);
}

function leave(row) {
  const gone = !belongs(row) && $("#list")?.dataset.sort !== "moved";
  row.classList.toggle("gone", gone);
  if (gone) row.querySelector(".left").textContent = where(row.dataset);
}

function insert(row) {
  const list = $("#rows");
  if (!list) return;
  $("#rows-empty")?.setAttribute("hidden", "");
  const next = following(row);
  const scroll = $("#rows-scroll");
  const above = next ? next.offsetTop < scroll.scrollTop + 8 : rows().length > 0 && Boolean($("#more-rows"));
  if (above && scroll.scrollTop > 8) {
    hidden.set(row.id, row);
    pill().textContent = hidden.size === 1 ? "1 new" : `${hidden.size} new`;
    pill().hidden = false;
    return;
  }
  if (!next && $("#more-rows")) return; // it belongs below what is loaded
  list.insertBefore(row, next ?? $("#more-rows"));
  htmx.process(row);
  row.classList.add("fresh");
}

function following(row) {
  const own = order(row);
  return rows().find((each) => before(own, order(each)));
}

/** Longest waiting: who waits, oldest first, then the rest, newest first. Else newest first. */
function order(row) {
  const { since, last, back } = row.dataset;
  switch ($("#list")?.dataset.sort) {
    case "longest": return since ? [0, Date.parse(since)] : [1, -Number(last)];
    case "soonest": return [0, Date.parse(back)];
    default: return [0, -Number(last)];
  }
}
const before = (one, other) => one[0] < other[0] || (one[0] === other[0] && one[1] < other[1]);

placing((element) => {
  if (!element.matches(".row") || !$("#rows")) return false;
  take(element, { personal: true });
  return true;
});
afterPatch((element, isNew) => { if (!isNew && element.matches(".row")) { leave(element); mark(); } });

act("to-top", () => {
  pill().hidden = true;
  const waiting = [...hidden.values()];
  hidden = new Map();
  $("#rows-scroll").scrollTop = 0;
  for (const row of waiting) if (!document.getElementById(row.id)) insert(row);
});

/** Which row is current, and which one Tab reaches. */
export function mark() {
  const current = openCase();
  for (const row of rows()) {
    const anchor = link(row), isCurrent = Number(row.dataset.case) === current;
    anchor.toggleAttribute("aria-current", isCurrent);
    if (isCurrent) { anchor.setAttribute("aria-current", "true"); row.classList.remove("unread"); }
    anchor.tabIndex = -1;
  }
  const stop = link($("#rows > .row:has([aria-current])")) ?? link(rows()[0]);
  if (stop) stop.tabIndex = 0;
  title();
}

/** "(3) Mine": alerts nobody has looked at. */
export function title() {
  const count = $("#alerts-badge")?.dataset.count;
  document.title = count ? `(${count}) ${bare()}` : bare();
}
const bare = () => document.title.replace(/^\(\d+\+?\) /, "");

function focusedRow() {
  const all = rows(), at = all.findIndex((row) => row.contains(document.activeElement));
  return at >= 0 ? at : all.findIndex((row) => Number(row.dataset.case) === openCase());
}

function step(by) {
  const all = rows();
  if (!all.length) return false;
  const at = focusedRow();
  const next = all[at < 0 ? 0 : Math.min(Math.max(at + by, 0), all.length - 1)];
  for (const row of all) link(row).tabIndex = -1;
  link(next).tabIndex = 0;
  link(next).focus({ preventScroll: true });
  next.scrollIntoView({ block: "nearest" });
  if (at === all.length - 1 && by > 0) $("#more-rows button")?.click();
  return true;
}

function open(by) {
  const all = rows(), at = all.findIndex((row) => Number(row.dataset.case) === openCase());
  link(all[at + by])?.click();
}

const GROUP = { group: "List" };
key("j", "Next", () => step(1), GROUP);
key("k", "Previous", () => step(-1), GROUP);
key("ArrowDown", "", (event) => (event.target.closest("#rows") ? step(1) : false), GROUP);
key("ArrowUp", "", (event) => (event.target.closest("#rows") ? step(-1) : false), GROUP);
key("Enter", "Open", () => false, GROUP);
key("o", "Open", () => { link(rows()[focusedRow()])?.click(); }, GROUP);
key("]", "Next case, while reading", () => open(1), GROUP);
key("[", "Previous case, while reading", () => open(-1), GROUP);
key("u", "Back to the list", back, GROUP);
key(" ", "Take the next one (Nobody's yet)", (event) => {
  const button = $('[data-act="take-next"]');
  if (!button || event.target.closest("button, a, summary") ) return false;
  button.click();
}, GROUP);

function back() {
  const row = $("#rows > .row:has([aria-current])") ?? rows()[0];
  if (matchMedia("(max-width: 56.1875em)").matches) $("#case-head .back")?.click();
  else link(row)?.focus({ preventScroll: true });
}
act("back", (target, event) => {
  event.preventDefault();
  htmx.ajax("GET", `/inbox/${view() || "mine"}/`, { target: "#desk", swap: "outerHTML", push: `/inbox/${view() || "mine"}/` });
});

/** Resolved or snoozed by this agent: out of the list, on to the next. */
document.addEventListener("case-left", (event) => {
  const row = document.getElementById(`row-${event.detail.case}`);
  const all = rows(), at = all.indexOf(row);
  const next = all[at + 1] ?? all[at - 1];
  const wasOpen = openCase() === event.detail.case;
  row?.remove();
  if (!wasOpen || matchMedia("(max-width: 56.1875em)").matches) return;
  if (next) link(next).click();
  else {
    $("#rows-empty")?.removeAttribute("hidden");
    htmx.ajax("GET", `/inbox/${view() || "mine"}/`, { target: "#desk", swap: "outerHTML", push: `/inbox/${view() || "mine"}/` });
  }
});

document.addEventListener("htmx:after:swap", (event) => {
  const target = event.detail?.ctx?.target ?? event.target;
  if (target?.id === "desk" || $("#desk")?.dataset.opened !== String(openCase())) opened();
  if (target?.id === "list") { hidden = new Map(); }
  mark();
});

/** A case was opened: focus goes to its heading, the row is read. */
function opened() {
  const desk = $("#desk");
  if (!desk || desk.dataset.opened === String(openCase())) return;
  desk.dataset.opened = String(openCase());
  if (!openCase()) return;
  const name = $("#case-title")?.textContent ?? "";
  document.title = `${name} · ${bare().split(" · ").slice(-2).join(" · ")}`;
  $("#main").focus({ preventScroll: true });
  say(`${name}, case ${openCase()}`);
  document.dispatchEvent(new CustomEvent("case:opened"));
}

document.addEventListener("htmx:before:history:restore", (event) => {
  const slug = event.detail.path.match(/^\/inbox\/([\w-]+)\//)?.[1];
  if (slug !== view()) { event.preventDefault(); location.reload(); }
});

if ($("#desk")) $("#desk").dataset.opened = String(openCase());
mark();
