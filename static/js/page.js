/* What the page shows now, read from the page: the DOM is the only state. */

export const $ = (selector, root = document) => root.querySelector(selector);
export const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

export const me = {
  get id() { return Number(document.body.dataset.agent); },
  get name() { return document.body.dataset.name; },
  get keys() { return document.body.dataset.keys !== "off"; },
};

/** The open case's number, or null. */
export const openCase = () => Number($("#main[data-case]")?.dataset.case) || null;

/** The slug of the view whose list is shown, or "". */
export const view = () => $(".app")?.dataset.view ?? "";

/** Says it to screen readers, once. */
export function say(words) {
  const line = $("#says");
  if (!line) return;
  line.textContent = "";
  requestAnimationFrame(() => { line.textContent = words; });
}

/** A line at the bottom left that leaves by itself; errors stay. */
export function toast(words, { bad = false, seconds = 6 } = {}) {
  const line = document.createElement("div");
  line.className = bad ? "toast bad" : "toast";
  const text = document.createElement("p");
  text.textContent = words;
  line.append(text);
  show(line, bad ? 0 : seconds);
}

/** At most two at a time; reading one (pointer or focus on it) keeps it. */
export function show(line, seconds = 6) {
  const place = $("#toasts");
  place.append(line);
  while (place.children.length > 2) place.firstElementChild.remove();
  const close = document.createElement("button");
  close.type = "button";
  close.className = "link-quiet";
  close.setAttribute("aria-label", "Close");
  close.textContent = "×";
  close.addEventListener("click", () => line.remove());
  line.append(close);
  if (!seconds) return;
  let timer = setTimeout(() => line.remove(), seconds * 1000);
  for (const start of ["pointerenter", "focusin"]) line.addEventListener(start, () => clearTimeout(timer));
  for (const end of ["pointerleave", "focusout"]) line.addEventListener(end, () => { timer = setTimeout(() => line.remove(), 3000); });
}

/** Headers for a request of our own. */
export const headers = (more = {}) => ({
  "X-CSRFToken": JSON.parse(document.body.getAttribute("hx-headers:inherited"))["X-CSRFToken"], "HX-Request": "true", ...more,
});

/** Clicks on [data-act=name], wherever they appear. */
const acts = new Map();
export const act = (name, run) => acts.set(name, run);
document.addEventListener("click", (event) => {
  const target = event.target.closest("[data-act]");
  const run = target && acts.get(target.dataset.act);
  if (run) run(target, event);
});

/** The server's clock: waits and countdowns are told by it, not by this computer's. */
const answered = performance.timeOrigin + (performance.getEntriesByType("navigation")[0]?.responseStart ?? 0);
const skew = Date.parse(document.body.dataset.time) - answered;
export const now = () => Date.now() + skew;

/** Minutes as the server words them (templatetags/words.py, span). */
export function span(minutes) {
  if (minutes < 60) return `${minutes} m`;
  if (minutes < 1440) return minutes % 60 ? `${Math.floor(minutes / 60)} h ${minutes % 60} m` : `${minutes / 60} h`;
  const days = Math.floor(minutes / 1440), hours = Math.floor((minutes % 1440) / 60);
  if (days < 3 && hours) return `${days} d ${hours} h`;
  return days === 1 ? "1 day" : `${days} days`;
}

/** Waits grow while the page is open. */
setInterval(() => {
  for (const time of $$("time[data-waits]")) time.textContent = span(Math.max(Math.floor((now() - Date.parse(time.dateTime)) / 60000), 0));
}, 20000);
