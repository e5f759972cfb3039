/* Writing. The text is never part of a swap: what is typed stays typed, whatever arrives. */
import { $, $$, act, headers, openCase, say, toast } from "./page.js";
import { key, press } from "./keys.js";
import { afterPatch, patchText } from "./patch.js";
import { fold } from "./card.js";
import { newest, toEnd } from "./timeline.js";
import { room } from "./room.js";

const form = () => $("#composer");
const reply = () => $("#reply-text");
const note = () => $("#note-text");
const isNote = () => form()?.dataset.mode === "note";
const box = () => (isNote() ? note() : reply());
const option = () => $('#composer-bar [name="option"]');
export const isWriting = () => Boolean(reply()?.value.trim());

/* ---- the way it is sent ---- */

let chosen = ""; // picked by hand; holds until the customer moves again
/** What live.js sends along, so that the server leaves a chosen or begun way alone. */
export const picked = () => chosen || (isWriting() ? option()?.value ?? "" : "");

async function around(value) {
  const answer = await fetch(`/cases/${openCase()}/composer/?option=${encodeURIComponent(value)}`, { headers: headers() });
  if (answer.ok && (!chosen || chosen === value)) patchText(await answer.text()); // else picked anew meanwhile
}

export async function pick(value) {
  chosen = value;
  await around(value);
  $("#ways:popover-open")?.hidePopover();
  save();
}

act("pick", (target) => { pick(target.dataset.option); box()?.focus(); });
act("reply-by", (target) => {
  const way = $$(".way-row").find((each) => each.dataset.channel === target.dataset.by && !each.disabled);
  setMode("reply");
  if (way) pick(way.dataset.option);
  else toast($$(".way-row").find((each) => each.dataset.channel === target.dataset.by)?.querySelector("small")?.textContent ?? "There is no address there.", { bad: true });
  reply().focus();
});
act("use-draft", (target) => {
  const way = $$(".way-row").find((each) => each.dataset.channel === target.dataset.channelWanted && !each.disabled);
  if (way) pick(way.dataset.option);
  reply().focus();
});

afterPatch((element) => {
  if (element.id === "composer-top") {
    form().dataset.channel = element.dataset.channel;
    if (!isWriting()) $("#seen").value = element.dataset.newest;
  }
  if (element.id === "composer-top" || element.id === "composer-bar") tickAgain();
  if (element.id === "composer-bar") { count(); if (isNote()) setMode("note", false); }
  if (element.id === "case-head" && chosen) {
    const channel = option()?.dataset.channel;
    if (element.dataset.channel !== channel && element.dataset.inbound !== lastInbound && !isWriting()) chosen = "";
  }
  if (element.id === "case-head") lastInbound = element.dataset.inbound;
});
let lastInbound = $("#case-head")?.dataset.inbound;

function count() {
  const line = $("#room");
  if (!line) return;
  const { words, over } = room(line.dataset.channel, line.dataset.before + reply().value);
  line.textContent = words;
  line.classList.toggle("over", over);
}

/* ---- who else reads it ---- */

const ticks = new Map(); // what is ticked for this reply, through every exchange of the boxes
const boxes = () => $$('#composer-top :is([name="copied"], [name="sent_to"])');
const sentTo = () => $('#composer-top [name="sent_to"]:checked')?.value ?? "";
const copies = () => [$("#reply-cc"), $("#reply-bcc")].filter(Boolean);

document.addEventListener("change", (event) => {
  if (!boxes().includes(event.target)) return;
  for (const box of boxes()) if (box.name === event.target.name) ticks.set(`${box.name} ${box.value}`, box.checked);
  showTo();
});
document.addEventListener("toggle", (event) => { // who reads along is always seen
  if (event.target.id === "copies" && !event.target.open && copies().some((line) => line.value.trim())) event.target.open = true;
}, true);

function tickAgain() {
  for (const box of boxes()) box.checked = ticks.get(`${box.name} ${box.value}`) ?? box.checked;
  showTo();
}

function showTo() {
  if (sentTo()) $("#to-address").textContent = sentTo();
}

function copyTo(cc, bcc) {
  if (!copies().length) return;
  [$("#reply-cc").value, $("#reply-bcc").value] = [cc, bcc];
  $("#copies").open = Boolean(cc || bcc);
}

/* ---- reply or note ---- */

function setMode(mode, focus = true) {
  if (!form()) return;
  form().dataset.mode = mode;
  reply().hidden = mode === "note";
  note().hidden = mode !== "note";
  grow(box());
  if (focus) box().focus();
}
act("note", () => setMode(isNote() ? "reply" : "note"));

/* ---- keeping what is typed ---- */

let timer = 0, kept = "";
const state = () => JSON.stringify([openCase(), reply()?.value, note()?.value, option()?.value, about()]);
const about = () => ({ subject: $("#reply-subject")?.value ?? "", cc: $("#reply-cc")?.value ?? "", bcc: $("#reply-bcc")?.value ?? "", sent_to: sentTo() });

function soon() {
  clearTimeout(timer);
  timer = setTimeout(save, 1000);
}

/** Both texts, if they changed. `keepalive` lets it finish while the page goes away. */
export function save() {
  clearTimeout(timer);
  if (!form() || kept === state()) return;
  kept = state();
  const way = option();
  const texts = [["note", note().value, {}]];
  if (way) texts.push([way.dataset.channel, reply().value, about()]);
  const number = openCase();
  for (const [channel, text, more] of texts) {
    if (channel === "note" && !text && !noteKept) continue;
    if (channel === "note") noteKept = Boolean(text);
    fetch(`/cases/${number}/draft/`, { method: "POST", headers: headers(), body: new URLSearchParams({ channel, text, ...more }), keepalive: text.length < 50000 })
      .then((answer) => { if (answer.ok) keptAt(text); else if (answer.status === 401) toast("You are signed out. Your text is kept here; sign in in another tab.", { bad: true }); })
      .catch(() => { kept = ""; });
  }
}
let noteKept = Boolean(note()?.value);

function keptAt(text) {
  const line = $("#saved");
  if (line && text.trim()) line.textContent = `Saved ${new Date().toTimeString().slice(0, 5)}`;
}

function grow(area) {
  if (!area || CSS.supports("field-sizing", "content")) return;
  area.style.height = "auto";
  area.style.height = `${area.scrollHeight}px`;
}

document.addEventListener("input", (event) => {
  if (!event.target.closest("#composer")) return;
  if (event.target === reply()) {
    fold();
    count();
    typing();
  }
  if (event.target.matches("textarea")) grow(event.target);
  soon();
});
document.addEventListener("focusout", (event) => { if (event.target.closest?.("#composer")) save(); });
addEventListener("pagehide", save);
document.addEventListener("visibilitychange", () => { if (document.hidden) save(); });
document.addEventListener("htmx:before:swap", (event) => { if (event.detail?.ctx?.target?.id === "desk") save(); });

let typedAt = 0, stopTyping = 0;
function typing() {
  clearTimeout(stopTyping);
  stopTyping = setTimeout(() => { typedAt = 0; document.dispatchEvent(new CustomEvent("typing", { detail: "" })); }, 6000);
  if (Date.now() - typedAt < 3000) return;
  typedAt = Date.now();
  document.dispatchEvent(new CustomEvent("typing", { detail: option()?.dataset.channel ?? "" }));
}

/* ---- sending ---- */

const isSending = (event) => /\/(reply|note)\/$/.test(event.detail?.ctx?.request?.action ?? "");

document.addEventListener("htmx:before:request", (event) => {
  if (!isSending(event)) return;
  if (form().classList.contains("busy")) { event.preventDefault(); return; }
  form().classList.add("busy");
  $("#composer-error").textContent = "";
  clearTimeout(timer);
});
document.addEventListener("htmx:finally:request", (event) => { if (isSending(event)) form()?.classList.remove("busy"); });

document.addEventListener("reply-kept", () => {
  clear(reply());
  ticks.clear();
  for (const box of boxes()) box.checked = box.defaultChecked;
  copyTo("", "");
  $("#held").replaceChildren();
  $("#draft-files").replaceChildren();
  if (!chosen) around(""); // begun on one channel, answered there; from now on where the customer is
  $("#form-id").value = newId();
  $("#seen").value = Math.max(newest(), Number($("#composer-top").dataset.newest));
  document.dispatchEvent(new CustomEvent("typing", { detail: "" }));
  document.getElementById(`row-${openCase()}`)?.querySelector("em.draft")?.remove();
  toEnd();
});
document.addEventListener("note-kept", () => { clear(note()); noteKept = false; setMode("reply", false); toEnd(); });
document.addEventListener("says", (event) => toast(event.detail.words));

/** A random UUID, also where the page is not a secure context. */
function newId() {
  const hex = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20)}`;
}

function clear(area) {
  area.value = "";
  grow(area);
  count();
  $("#saved").textContent = "";
  kept = state();
}

/** Taken back: the text returns, above whatever was begun meanwhile. */
document.addEventListener("text-back", (event) => {
  setMode("reply", false);
  put([event.detail.text, reply().value].filter((text) => text.trim()).join("\n\n"));
  const { cc = "", bcc = "", sent_to: there } = event.detail;
  copyTo(cc, bcc);
  if (there) for (const box of boxes()) if (box.name === "sent_to") ticks.set(`sent_to ${box.value}`, box.value === there);
  tickAgain();
  const way = $$(".way-row").find((each) => each.dataset.channel === event.detail.channel && !each.disabled);
  if (way && option()?.value !== way.dataset.option) pick(way.dataset.option);
  say("Taken back. Your text is in the reply.");
});

function put(text) {
  reply().value = text;
  grow(reply());
  count();
  reply().focus();
  reply().setSelectionRange(text.length, text.length);
  soon();
}

act("edit-held", () => {
  $("#seen").value = $("#held").dataset.newest || newest();
  $("#held").replaceChildren();
  $("#held").className = "";
  reply().focus();
});

/** Into the text where the caret is; an opening line goes to the front. */
act("insert", (target) => insert(target.dataset.insert, "opening" in target.dataset));

function insert(words, atFront = false) {
  setMode("reply", false);
  const area = reply();
  const { value, selectionStart: from, selectionEnd: to } = area;
  if (atFront) {
    if (!value.startsWith(words)) area.setRangeText(words, 0, 0, "end");
  } else {
    const gap = from > 0 && !/\s$/.test(value.slice(0, from)) ? " " : "";
    area.setRangeText(gap + words, from, to, "end");
  }
  area.focus();
  area.dispatchEvent(new InputEvent("input", { bubbles: true }));
}

/* ---- going on elsewhere ---- */

act("invite-menu", async () => {
  const answer = await fetch(`/cases/${openCase()}/invite/?from=${option()?.dataset.channel ?? ""}`, { headers: headers() });
  if (!answer.ok) return;
  patchText(await answer.text());
  $("#invite-menu").showPopover();
  $("#invite-menu .way-row")?.focus();
});
act("invite", async (target) => {
  const body = new URLSearchParams({ to: target.dataset.to, from: option()?.dataset.channel ?? "" });
  const answer = await fetch(`/cases/${openCase()}/invite/code/`, { method: "POST", headers: headers(), body });
  $("#invite-menu:popover-open")?.hidePopover();
  if (answer.ok) insert(await answer.text());
  else toast("No code could be made. Try again.", { bad: true });
});

act("other-channel", (target) => {
  const text = target.dataset.text;
  setMode("reply", false);
  if (!isWriting()) put(text);
  $("#ways").showPopover();
  $(".way-row:not([disabled], [aria-current])")?.focus();
});

/* ---- files ---- */

act("attach", () => $("#file-picker").click());
document.addEventListener("change", (event) => {
  if (event.target.id !== "file-picker") return;
  upload([...event.target.files]);
  event.target.value = "";
});
const files = (event) => [...(event.clipboardData ?? event.dataTransfer)?.files ?? []];
document.addEventListener("paste", (event) => { if (event.target === reply() && files(event).length) { event.preventDefault(); upload(files(event)); } });
for (const name of ["dragover", "dragleave", "drop"]) document.addEventListener(name, (event) => {
  if (!form() || !event.target.closest?.(".case") || ![...event.dataTransfer.types].includes("Files")) return;
  event.preventDefault();
  form().classList.toggle("dropping", name === "dragover");
  if (name === "drop") upload(files(event));
});

async function upload(list) {
  if (!option()) return;
  for (const file of list) {
    const body = new FormData();
    body.append("file", file);
    body.append("channel", option().dataset.channel);
    $("#saved").textContent = `Adding ${file.name}`;
    try {
      const answer = await fetch(`/cases/${openCase()}/draft/files/`, { method: "POST", headers: headers(), body });
      patchText(await answer.text());
      $("#saved").textContent = "";
    } catch {
      toast(`${file.name} could not be added. Try again.`, { bad: true });
    }
  }
}

/* ---- keys ---- */

const reader = { group: "Case" };
key("r", "Reply", () => { if (!form()) return false; setMode("reply"); }, reader);
key("n", "Internal note", () => { if (!form()) return false; setMode("note"); }, reader);
key("v", "Choose how to send", () => {
  const chip = $('.moved-chip [data-act="pick"]');
  if (chip) chip.click();
  else if (form()) { setMode("reply", false); $("#ways").showPopover(); $(".way-row:not([disabled])")?.focus(); } else return false;
}, reader);
key("a", "Give it to somebody", () => { const menu = $("#assign-menu"); if (!menu) return false; menu.showPopover(); }, reader);
key("i", "Take it", () => { if (!openCase()) return false; if (!press("i")) htmx.ajax("POST", `/cases/${openCase()}/take/`, { target: "#case-head", swap: "patch" }); }, reader);
key("e", "Resolve", () => press("e"), reader);
key("E", "Reopen", () => press("E"), reader);
key("s", "Snooze", () => { const menu = $("#snooze-menu"); if (!menu) return false; menu.showPopover(); $(".item", menu).focus(); }, reader);
key("z", "Undo", () => { const last = $$("[data-undo]").at(-1); last?.click(); return Boolean(last); }, reader);
key("Control+Enter", "Send", () => { if (document.activeElement?.closest("#composer")) $(isNote() ? "#add-note" : "#send").click(); else return false; }, reader);
key("Control+Shift+Enter", "Send and resolve", () => { if (document.activeElement?.closest("#composer") && !isNote()) $("#send-resolve").click(); else return false; }, reader);
key("Escape", "Out of the text", (event) => {
  if ($(":popover-open") || $("dialog[open]")) return false;
  if (event.target.closest("#composer")) { $("#timeline").focus(); return true; }
  return false;
}, { ...reader, always: true });

document.addEventListener("toggle", (event) => {
  if (event.target.id === "assign-menu" && event.newState === "open") setTimeout(() => $("#assign-menu .item")?.focus(), 120);
}, true);
document.addEventListener("click", (event) => { if (event.target.closest("[data-closes]")) event.target.closest("[popover]")?.hidePopover(); });
act("copy-link", () => {
  navigator.clipboard?.writeText(`${location.origin}/inbox/open/c/${openCase()}/`);
  $("#case-menu").hidePopover();
  toast("Link copied.");
});
act("panel", () => { const app = $(".app"); app.dataset.panel = app.dataset.panel === "open" ? "" : "open"; });

function start() {
  chosen = "";
  ticks.clear();
  lastInbound = $("#case-head")?.dataset.inbound;
  noteKept = Boolean(note()?.value);
  if ($(".app")) $(".app").dataset.panel = "";
  if (!form()) return;
  kept = state();
  grow(reply());
  count();
  for (const area of [reply(), note()]) area.setSelectionRange(area.value.length, area.value.length);
}
document.addEventListener("case:opened", start);
start();
