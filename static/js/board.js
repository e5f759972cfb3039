// The board keeps itself fresh: when something happened, and every ten seconds as a net. Parts are replaced where they
// changed; a figure fades to its new value, and what somebody is pressing, typing in or has opened stays as it is.
const board = document.querySelector("[data-board]");
const THROTTLE = 1000;
const NET = 10000;
const NET_WITHOUT_FEED = 2000;

let asked = 0;
let timer = 0;
let busy = false;
let again = false;
let heard = 0;

function refresh() {
  if (busy) {
    again = true;
    return;
  }
  const wait = Math.max(0, asked + THROTTLE - Date.now());
  clearTimeout(timer);
  timer = setTimeout(fetchNow, wait);
}

async function fetchNow() {
  busy = true;
  asked = Date.now();
  try {
    const answer = await fetch(board.dataset.board, { headers: { "X-Requested-With": "fetch" }, credentials: "same-origin" });
    if (answer.redirected || answer.status === 401) return location.reload();
    if (answer.ok) take(new DOMParser().parseFromString(await answer.text(), "text/html"));
  } catch {
    // the strip at the top says that the connection is gone; the net tries again
  } finally {
    busy = false;
    const net = Date.now() - heard < 30000 ? NET : NET_WITHOUT_FEED;
    clearTimeout(timer);
    timer = setTimeout(fetchNow, again ? THROTTLE : net);
    again = false;
  }
}

function take(page) {
  for (const fresh of page.querySelectorAll("section[id]")) {
    const old = document.getElementById(fresh.id);
    if (!old || old.innerHTML === fresh.innerHTML || old.matches(":has(:active)")) continue;
    const values = new Map([...old.querySelectorAll("[data-figure]")].map((each) => [each.dataset.figure, each.textContent.trim()]));
    const open = [...old.querySelectorAll("details[open][id]")].map((each) => each.id);
    const focused = old.contains(document.activeElement) ? address(old, document.activeElement) : "";
    old.replaceChildren(...fresh.childNodes);
    for (const id of open) document.getElementById(id)?.setAttribute("open", "");
    if (focused) old.querySelector(focused)?.focus({ preventScroll: true });
    for (const each of old.querySelectorAll("[data-figure]")) {
      if (values.has(each.dataset.figure) && values.get(each.dataset.figure) !== each.textContent.trim()) each.classList.add("fresh");
    }
  }
  const at = page.getElementById("board-now")?.dataset.at;
  if (at) document.getElementById("board-at").dateTime = at;
  tick();
}

// How the focused element is found again in the new content
function address(part, element) {
  if (element.id) return `#${CSS.escape(element.id)}`;
  if (element.dataset.figure) return `[data-figure="${CSS.escape(element.dataset.figure)}"]`;
  const link = element.getAttribute("href") || element.getAttribute("popovertarget");
  return link ? `[href="${CSS.escape(link)}"], [popovertarget="${CSS.escape(link)}"]` : "";
}

function tick() {
  const at = document.querySelector("[data-updated]");
  const seconds = Math.max(0, Math.round((Date.now() - asked) / 1000));
  if (asked) at.textContent = seconds < 1 ? "just now" : `${seconds} s ago`;
}

if (board) {
  document.querySelector("[data-submits]")?.addEventListener("change", (event) => event.target.form.requestSubmit());
  document.addEventListener("visibilitychange", () => document.hidden || refresh());
  document.addEventListener("live:open", () => {
    heard = Date.now();
    document.dispatchEvent(new CustomEvent("live:send", { detail: { watch: "board" } }));
  });
  document.addEventListener("live:board", () => {
    heard = Date.now();
    refresh();
  });
  asked = Date.now();
  setInterval(tick, 1000);
  timer = setTimeout(fetchNow, NET_WITHOUT_FEED);
}
