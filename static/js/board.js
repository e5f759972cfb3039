// The board keeps itself fresh: at once when something happened, and every ten seconds as a net; every two while the
// feed is lost. Parts are replaced where they changed: a figure fades to its new value, and what somebody is pressing,
// has opened or has focused stays as it is.
import { watchBoard } from "./live.js";

const board = document.querySelector("[data-board]");
const THROTTLE = 1000;
const NET = 10000;
const NET_WITHOUT_FEED = 2000;

let asked = Date.now();
let timer = 0;
let busy = false;
let again = false;

function refresh() {
  if (busy) {
    again = true;
    return;
  }
  schedule(asked + THROTTLE - Date.now());
}

function schedule(wait) {
  clearTimeout(timer);
  timer = setTimeout(fetchNow, Math.max(0, wait));
}

async function fetchNow() {
  busy = true;
  asked = Date.now();
  try {
    const answer = await fetch(board.dataset.board, { headers: { "HX-Request": "true" } });
    if (answer.status === 401 || answer.status === 403) return location.reload();
    if (answer.ok) take(new DOMParser().parseFromString(await answer.text(), "text/html"));
  } catch {
    // the line at the top says that the connection is gone; the net tries again
  } finally {
    busy = false;
    const isLost = !document.getElementById("connection").hidden;
    schedule(again ? THROTTLE : isLost ? NET_WITHOUT_FEED : NET);
    again = false;
  }
}

function take(page) {
  for (const fresh of page.querySelectorAll("section[id]")) {
    const old = document.getElementById(fresh.id);
    if (!old || old.innerHTML === fresh.innerHTML || old.matches(":has(:active)")) continue;
    const values = new Map([...old.querySelectorAll("[data-figure]")].map((each) => [each.dataset.figure, each.textContent.trim()]));
    const open = [...old.querySelectorAll("details[open][id]")].map((each) => each.id);
    const focused = old.contains(document.activeElement) ? address(document.activeElement) : "";
    old.replaceChildren(...fresh.childNodes);
    for (const id of open) document.getElementById(id)?.setAttribute("open", "");
    if (focused) old.querySelector(focused)?.focus({ preventScroll: true });
    for (const each of old.querySelectorAll("[data-figure]")) {
      const before = values.get(each.dataset.figure);
      if (before !== undefined && before !== each.textContent.trim()) each.classList.add("fresh");
    }
  }
  tick();
}

/** How the focused element is found again in the new content. */
function address(element) {
  if (element.id) return `#${CSS.escape(element.id)}`;
  if (element.dataset.figure) return `[data-figure="${CSS.escape(element.dataset.figure)}"]`;
  if (element.matches("summary")) return `#${CSS.escape(element.parentElement.id)} > summary`;
  for (const name of ["href", "popovertarget"]) {
    if (element.hasAttribute(name)) return `[${name}="${CSS.escape(element.getAttribute(name))}"]`;
  }
  return "";
}

function tick() {
  const seconds = Math.floor((Date.now() - asked) / 1000);
  document.getElementById("board-at").textContent = seconds < 1 ? "just now" : `${seconds} s ago`;
}

document.querySelector("[data-submits]")?.addEventListener("change", (event) => event.target.form.requestSubmit());
document.addEventListener("visibilitychange", () => document.hidden || refresh());
document.addEventListener("board:changed", refresh);
document.addEventListener("case:changed", refresh);
setInterval(tick, 1000);
setInterval(watchBoard, NET_WITHOUT_FEED); // said again after every reconnect
schedule(NET_WITHOUT_FEED);
