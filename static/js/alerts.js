// The tray while it is open. What is new comes in by itself while nobody reads further down; else a button says so.
import { headers } from "./page.js";

const PAUSE = 800;
let timer = 0;

const tray = () => document.getElementById("alerts");
const shown = (root) => new Set([...root.querySelectorAll(".move:not(.seen)")].map((each) => `${each.id}@${each.querySelector("time").dateTime}`));

async function look() {
  const answer = await fetch("/alerts/", { headers: headers() });
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("alerts");
  const before = shown(tray());
  const added = [...shown(fresh)].filter((each) => !before.has(each)).length;
  if (!added && fresh.textContent === tray().textContent) return; // quiet news changes a card and not its time
  const isRead = document.getElementById("main").scrollTop > 0 || tray().matches(":hover, :focus-within");
  const pill = document.getElementById("new-alerts");
  if (!isRead) {
    tray().replaceWith(fresh);
    pill.hidden = true;
  } else if (added) {
    pill.textContent = `${added} new`;
    pill.hidden = false;
    pill.onclick = () => {
      tray().replaceWith(fresh);
      pill.hidden = true;
      document.getElementById("main").scrollTop = 0;
    };
  }
}

function soon() {
  clearTimeout(timer);
  timer = setTimeout(() => look().catch(() => {}), PAUSE);
}

document.addEventListener("case:changed", soon);
document.addEventListener("caught:up", soon); // what happened before the socket was there, or while it was gone
