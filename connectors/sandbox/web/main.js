// The customer's phone. State comes from the control API; a stream of events says when to look again.

import { get, listen, post } from "./api.js";
import { Composer } from "./composer.js";
import { find, icon } from "./dom.js";
import { addressOf, showPeople, shownAddress } from "./people.js";
import { keepEnd, showThread, showTyping } from "./thread.js";
import { addToLog, loadLog, prepareDrawer, showFaults } from "./wire.js";

const CHANNELS = ["email", "sms", "instagram", "whatsapp"];
const IN_STORY = ["email", "sms", "instagram"];
const STORY_TYPING = 2200; // milliseconds, a little less than the sandbox waits

let state = { people: [], connectors: [], faults: {}, fault_words: {}, story: {} };
let chosen = sessionStorage.getItem("person") ?? "0";
let channel = sessionStorage.getItem("channel") ?? "email";
let inbox = nothing();
let timer = 0;
let ready = false;

function nothing() {
  return Object.fromEntries(CHANNELS.map((one) => [one, []]));
}

const person = () => state.people.find((one) => one.id === chosen) ?? state.people[0];
const composer = new Composer(() => ({ person: person(), channel, connectors: state.connectors, thread: inbox[channel] }), (other) => visit(other));

async function react(message) {
  await post("react", { customer: person().id, id: message.id, emoji: message.reaction ? "" : "❤️" }).catch(() => {});
}

/** Fetch everything shown. Called on load, after every act and, gathered, on every change heard of. */
async function refresh() {
  try {
    state = await get("state");
    if (state.people.length === 0) return;
    if (!state.people.some((one) => one.id === chosen)) chosen = state.people[0].id;
    if (!addressOf(person(), channel)) channel = CHANNELS.find((one) => addressOf(person(), one)) ?? "email";
    const asked = chosen;
    const answer = await get(`inbox?customer=${encodeURIComponent(asked)}`);
    if (asked === chosen) inbox = answer;
    draw();
    if (!ready) composer.show("");
    ready = true;
    look();
  } catch {
    find("offline").hidden = false;
  }
}

/** After a message: look again, at another person's phone if it was written there. */
async function visit(other) {
  await refresh();
  if (other && other !== chosen && state.people.some((one) => one.id === other)) show(other, channel);
}

function soon() {
  clearTimeout(timer);
  timer = setTimeout(refresh, 60);
}

function draw() {
  const current = person();
  showPeople(state.people, current.id, (id) => show(id, channel));
  find("owner").textContent = current.name;
  find("owner-address").textContent = shownAddress(current, channel);
  find("phone").dataset.channel = channel;
  for (const tab of find("tabs").children) {
    const own = tab.dataset.channel;
    tab.setAttribute("aria-selected", String(own === channel));
    tab.tabIndex = own === channel ? 0 : -1;
    tab.disabled = !addressOf(current, own);
    tab.hidden = own === "whatsapp" && !state.connectors.some((one) => one.kind === own);
    tab.toggleAttribute("data-unread", current.unread[own] > 0 && own !== channel);
  }
  find("thread").setAttribute("aria-labelledby", `tab-${channel}`);
  if (state.story.step !== "writing" || state.story.person !== chosen) showThread(channel, current, inbox[channel], react);
  showFaults(state.faults, state.fault_words);
  showStory();
  find("agents-side").hidden = !state.product_url;
  if (state.product_url) find("agents-side").href = state.product_url;
}

/** Whoever has the thread open reads it. Nobody reads in a hidden tab. */
function look() {
  if (document.hidden || person().unread[channel] === 0) return;
  post("read", { customer: person().id, channel }).then(soon, () => {});
}

function show(id, other) {
  const before = `${chosen} ${channel}`;
  const moved = id !== chosen;
  chosen = id;
  channel = addressOf(person(), other) ? other : (CHANNELS.find((one) => addressOf(person(), one)) ?? "email");
  sessionStorage.setItem("person", chosen);
  sessionStorage.setItem("channel", channel);
  if (moved) inbox = nothing();
  composer.show(before);
  if (!moved) draw();
  refresh();
}

function showStory() {
  const { playing, scene, scenes } = state.story;
  find("story").replaceChildren(icon(playing ? "stop" : "play"), playing ? `Stop the story, ${scene} of ${scenes}` : "Play the story");
}

function hear(event) {
  if (event.event === "log") addToLog(event.entry);
  else if (event.event === "story") tellStory(event);
  else soon();
}

function tellStory(event) {
  state.story = event;
  showStory();
  if (!event.playing) return soon();
  if (event.person !== chosen || event.channel !== channel) show(event.person, event.channel);
  if (event.step !== "writing") return soon();
  clearTimeout(timer);
  get(`inbox?customer=${encodeURIComponent(event.person)}`).then((answer) => {
    inbox = answer;
    showThread(channel, person(), inbox[channel], react);
    showTyping(event.channel, event.subject, event.text, STORY_TYPING);
  });
}

for (const tab of find("tabs").children) tab.addEventListener("click", () => show(chosen, tab.dataset.channel));
find("tabs").addEventListener("keydown", (event) => {
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (!step) return;
  const open = CHANNELS.filter((one) => addressOf(person(), one));
  const next = open[(open.indexOf(channel) + step + open.length) % open.length];
  show(chosen, next);
  find(`tab-${next}`).focus();
});
find("story").addEventListener("click", () => {
  const able = IN_STORY.every((one) => addressOf(person(), one));
  post("story", state.story.playing ? { stop: true } : able ? { customer: chosen } : {}).catch((error) => composer.tell(error.message));
});
document.addEventListener("visibilitychange", () => !document.hidden && soon());
prepareDrawer();
keepEnd();

listen(hear, (up) => {
  find("offline").hidden = up;
  if (up) refresh().then(loadLog);
});
