// The narrow log at the right, newest first, and the drawer of faults.

import { get, post } from "./api.js";
import { element, find } from "./dom.js";

const NAMES = { twilio: "Twilio", graph: "Meta", smtp: "Mail server", imap: "Mailbox", webhooks: "Webhooks" };
const CHANNELS = { twilio: "sms", graph: "instagram", smtp: "email", imap: "email" };
const ROWS = {
  twilio: ["Texts", "Twilio's API"],
  graph: ["Instagram", "Meta's API"],
  smtp: ["Outgoing mail", "the SMTP server"],
  imap: ["Mailboxes", "the IMAP server"],
  webhooks: ["Calls to the shop", "webhooks of Twilio and Meta"],
};
const SHOWN = 200;

function row(entry, fresh) {
  const [from, to] = entry.toward === "product" ? [NAMES[entry.provider], "the shop"] : ["The shop", NAMES[entry.provider]];
  const moment = new Date(entry.at);
  return element(
    "li",
    { class: fresh ? "fresh" : null, "data-failed": !entry.ok, "data-channel": CHANNELS[entry.provider], title: entry.detail },
    element("span", { class: "route" }, from, element("i", {}, ` to ${to}`)),
    element("time", { datetime: entry.at }, moment.toLocaleTimeString([], { hourCycle: "h23" })),
    element("code", {}, [entry.what, ...entry.facts].join(" · ")),
  );
}

export async function loadLog() {
  const { entries } = await get("log");
  const rows = entries.slice(-SHOWN).reverse().map((entry) => row(entry, false));
  find("log").replaceChildren(...(rows.length ? rows : [element("li", { class: "nothing" }, "Nothing has been said yet.")]));
}

export function addToLog(entry) {
  const log = find("log");
  log.querySelector(".nothing")?.remove();
  const top = log.scrollTop;
  const before = log.scrollHeight;
  log.prepend(row(entry, true));
  if (top > 4) log.scrollTop = top + log.scrollHeight - before;
  while (log.children.length > SHOWN) log.lastElementChild.remove();
}

export function showFaults(faults, words) {
  const count = Object.keys(faults).length;
  const button = find("open-faults");
  button.toggleAttribute("data-on", count > 0);
  button.textContent = count === 0 ? "Make something fail" : count === 1 ? "1 thing fails" : `${count} things fail`;
  const rows = Object.entries(ROWS).map(([provider, [title, whose]]) => {
    const current = faults[provider]?.name ?? "none";
    const options = [["none", "works"], ...Object.entries(words[provider])];
    const select = element(
      "select",
      { onchange: (event) => post("faults", { provider, fault: event.target.value }) },
      options.map(([value, text]) => element("option", { value, selected: value === current }, text)),
    );
    return element("label", { class: "row", "data-on": current !== "none" }, element("span", {}, title, " ", element("small", {}, whose)), select);
  });
  find("fault-rows").replaceChildren(...rows);
}

export function prepareDrawer() {
  const drawer = find("faults");
  find("open-faults").addEventListener("click", () => drawer.showModal());
  drawer.addEventListener("click", (event) => event.target === drawer && drawer.close());
  find("faults-none").addEventListener("click", async () => {
    for (const provider of Object.keys(ROWS)) await post("faults", { provider, fault: "none" });
  });
}
