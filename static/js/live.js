/* One socket. A frame is a hint: rows come with it, the rest is fetched. Catching up is the same fetch. */
import { $, $$, headers, me, openCase, say, show, toast, view } from "./page.js";
import { patchText } from "./patch.js";
import { take, title } from "./list.js";
import { newest } from "./timeline.js";
import { picked } from "./composer.js";

const MOST_PAUSE = 15000, TICK = 15000, SAY_AFTER = 2000;
let socket = null, pause = 400, since = document.body.dataset.time, lostAt = 0, wasLost = false, notice = 0;

/* ---- the socket ---- */

function connect() {
  socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws/`);
  socket.addEventListener("open", () => { pause = 400; });
  socket.addEventListener("message", (event) => hear(JSON.parse(event.data)));
  socket.addEventListener("close", (event) => {
    if (event.code === 4401) return location.assign(`/sign-in/?next=${encodeURIComponent(location.pathname)}`);
    lostAt ||= Date.now();
    notice ||= setTimeout(() => strip("Reconnecting. What you type is safe."), SAY_AFTER);
    setTimeout(connect, pause + Math.random() * pause);
    pause = Math.min(pause * 2, MOST_PAUSE);
  });
}

const tell = (frame) => { if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(frame)); };

function strip(words, seconds = 0) {
  const line = $("#connection");
  line.textContent = words;
  line.hidden = false;
  wasLost = true;
  if (seconds) setTimeout(() => { line.hidden = true; }, seconds * 1000);
}

async function back() {
  look();
  clearTimeout(notice);
  notice = 0;
  const fresh = await catchUp();
  if (wasLost) strip(fresh ? `Caught up, ${fresh} new` : "Caught up", 3);
  lostAt = 0;
  wasLost = false;
}

/* ---- frames ---- */

function hear(frame) {
  switch (frame.kind) {
    case "hello": return back();
    case "case": return heardCase(frame);
    case "alert": return heardAlert(frame);
    case "presence": return heardPresence(frame);
    case "review": return heardReview();
    case "board": return document.dispatchEvent(new CustomEvent("board:changed"));
  }
}

function heardCase(frame) {
  if ($("#rows")) {
    const template = document.createElement("template");
    template.innerHTML = frame.row;
    const row = template.content.firstElementChild;
    const old = document.getElementById(row.id);
    const isNew = ["message", "participant"].includes(frame.entry_kind) && Number(row.dataset.inbound) > Number(old?.dataset.inbound ?? 0);
    if (take(row, { unread: isNew })) soon();
  }
  if (frame.case === openCase()) refresh();
  document.dispatchEvent(new CustomEvent("case:changed", { detail: frame }));
}

/** The view's count, a little after rows came or went; not at the same moment in every browser. */
let counting = 0;
function soon() {
  clearTimeout(counting);
  counting = setTimeout(catchUp, 2000 + Math.random() * 3000);
}

/** How much there is to answer, a little later: not at the same moment in every browser. */
let reviewing = 0, heardMore = false;
function heardReview() {
  if (reviewing) { heardMore = true; return; } // frames may come faster than it ends
  reviewing = setTimeout(async () => {
    reviewing = 0;
    if (heardMore) { heardMore = false; heardReview(); }
    const html = $("#review-badge") && await get("/customers/review/count/");
    if (html) patchText(html);
  }, 1100 + Math.random() * 1200); // the server gives the same count for a second
}

async function heardAlert(frame) {
  const answer = await get(`/me/alerts/?alert=${frame.alert}`);
  if (!answer) return;
  const template = document.createElement("template");
  template.innerHTML = answer;
  const pointer = $("[data-toast]", template.content);
  pointer?.remove();
  patchText(template.innerHTML);
  title();
  if (!pointer || Number(pointer.dataset.case) === openCase() && !document.hidden) return;
  if ($("#" + pointer.id)) return;
  show(pointer, 8);
  if (pointer.dataset.loudness !== "loud") return;
  tone();
  if (document.hidden && "Notification" in window && Notification.permission === "granted") {
    const note = new Notification(pointer.textContent.trim().replace(/\s+/g, " ").replace(/×$/, ""), { tag: pointer.id });
    note.addEventListener("click", () => { focus(); location.assign($("a", pointer).href); });
  }
}

/** One soft tone; browsers allow it only after the agent has touched the page. */
function tone() {
  if (!navigator.userActivation?.hasBeenActive) return;
  const sound = new AudioContext(), wave = sound.createOscillator(), volume = sound.createGain();
  wave.frequency.value = 660;
  volume.gain.setValueAtTime(0.0001, sound.currentTime);
  volume.gain.exponentialRampToValueAtTime(0.05, sound.currentTime + 0.03);
  volume.gain.exponentialRampToValueAtTime(0.0001, sound.currentTime + 0.5);
  wave.connect(volume).connect(sound.destination);
  wave.start();
  wave.stop(sound.currentTime + 0.55);
  wave.addEventListener("ended", () => sound.close());
}

function heardPresence(frame) {
  if (frame.case !== openCase() || !$("#presence")) return;
  const others = frame.agents.filter((agent) => agent.id !== me.id);
  $("#presence").replaceChildren(...others.slice(0, 4).map((agent) => {
    const disc = document.createElement("span");
    disc.className = "disc";
    disc.dataset.doing = agent.doing;
    disc.title = `${agent.name} is ${agent.doing === "replying" ? "replying" : "looking"}`;
    disc.textContent = agent.initials;
    return disc;
  }));
  const writing = others.filter((agent) => agent.doing === "replying");
  const line = $("#others");
  const by = { email: " by email", sms: " by SMS", instagram: " by Instagram", whatsapp: " by WhatsApp" }[writing[0]?.channel] ?? "";
  line.textContent = writing.length ? `${writing.map((agent) => agent.name).join(" and ")} ${writing.length > 1 ? "are" : "is"} replying${by}` : "";
  line.hidden = !writing.length;
}

/* ---- fetching what changed ---- */

async function get(address, more = {}) {
  try {
    const answer = await fetch(address, { headers: headers(more) });
    const place = answer.headers.get("HX-Redirect");
    if (answer.status === 401 && place) return location.assign(place);
    if (answer.status === 205) { reread(); return null; }
    if (!answer.ok) return null;
    if (address.includes("/changes/") && address.startsWith("/inbox/")) since = answer.headers.get("X-Server-Time") ?? since;
    return await answer.text();
  } catch {
    return null;
  }
}

/** Away too long to be patched. The list is read anew; the case and its text stay. */
function reread() {
  if ($("#list") && view()) htmx.ajax("GET", `/inbox/${view()}/list/`, { target: "#list", swap: "outerHTML" });
}

let running = false, wanted = false, caseSince = document.body.dataset.time;
/** The open case: new rows, answered ones, head, card, the form around the text. One at a time. */
export async function refresh() {
  if (!openCase()) return;
  if (running) { wanted = true; return; }
  running = true;
  const number = openCase(), look = document.hidden ? "" : "&look=1";
  const at = caseSince, shown = own();
  try {
    const answer = await fetch(`/cases/${number}/changes/?since=${encodeURIComponent(at)}${look}`, { headers: headers(shown) });
    if (answer.ok && openCase() === number && shown["X-Picked"] !== picked()) {
      wanted = true; // drawn for a way that the agent has left since
    } else if (answer.ok && openCase() === number) {
      caseSince = answer.headers.get("X-Server-Time") ?? caseSince;
      patchText(await answer.text());
    } else if (answer.status === 404 && openCase() === number) {
      toast("You can no longer see this case. Your text is still in the box.", { bad: true });
    }
  } catch { /* the next catch-up will bring it */ } finally {
    running = false;
    if (wanted) { wanted = false; refresh(); }
  }
}

const own = () => ({ "X-Newest": String(newest()), "X-Since": caseSince, "X-Picked": picked() });

/** Verbs on the open case answer with what changed; they too have to know what is shown. */
document.addEventListener("htmx:config:request", (event) => {
  const { request } = event.detail.ctx;
  if (/^\/(cases|entries)\//.test(request.action) && openCase()) Object.assign(request.headers, own());
});

async function catchUp() {
  let fresh = 0;
  if (view() && $("#rows")) {
    const html = await get(`/inbox/${view()}/changes/?since=${encodeURIComponent(since)}`);
    if (html) fresh = patchText(html).filter((element) => element.matches(".row.unread")).length;
  } else {
    const html = await get("/me/alerts/");
    if (html) patchText(html);
  }
  title();
  document.dispatchEvent(new CustomEvent("caught:up"));
  if (openCase()) await refresh();
  return fresh;
}

/** Every 30 s, and twice as often while the socket is down. */
let tick = 0;
setInterval(() => {
  if (document.hidden || (tick++ % 2 && !lostAt)) return;
  catchUp();
  look();
}, TICK);
document.addEventListener("visibilitychange", () => { if (!document.hidden) { catchUp(); look(); } else tell({ look: null }); });
addEventListener("online", () => { if (socket.readyState === WebSocket.CLOSED) connect(); });

/* ---- what we tell ---- */

const look = () => tell({ look: openCase() });
document.addEventListener("case:opened", () => { caseSince = $("#main[data-time]")?.dataset.time ?? since; look(); });
document.addEventListener("typing", (event) => tell({ typing: event.detail }));
export const watchBoard = () => tell({ watch: "board" });

connect();
