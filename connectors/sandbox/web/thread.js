// What is on the phone: mails as sheets, texts and direct messages as bubbles. Hers at the right, the shop's at the left.

import { clock, day, element, find, icon } from "./dom.js";

const EMPTY = {
  email: "No mail yet. Write to the shop below.",
  sms: "No messages yet. Text the shop below.",
  instagram: "No messages yet. Write to the shop below.",
  whatsapp: "No messages yet. Write to the shop below.",
};

function pictures(files) {
  if (files.length === 0) return null;
  return element(
    "div",
    { class: "pictures" },
    files.map((file) =>
      element(
        "a",
        { href: file.url, target: "_blank", rel: "noopener", class: file.type.startsWith("image/") ? null : "file" },
        file.type.startsWith("image/")
          ? element("img", { src: file.url, alt: file.name || "Photo", loading: "lazy" })
          : file.name || "File",
      ),
    ),
  );
}

function letter(mail) {
  const hers = mail.direction === "sent";
  const sender = hers ? "You" : mail.from.replace(/\s*<[^>]*>$/, "").replace(/^"|"$/g, "") || mail.from;
  return element(
    "article",
    { class: hers ? "letter hers" : "letter", "data-id": mail.id },
    element("header", {}, element("b", { dir: "auto" }, sender), element("time", { datetime: mail.at, title: mail.at }, clock(mail.at))),
    element("h3", { dir: "auto" }, mail.subject || "(no subject)"),
    hers && element("p", { class: "to" }, `To ${mail.to}`),
    mail.cc && element("p", { class: "to" }, `Cc ${mail.cc}`),
    element("div", { class: "text", dir: "auto" }, mail.text),
    pictures(mail.files),
    mail.quoted &&
      element("details", {}, element("summary", { "aria-label": "Earlier mail" }, "…"), element("div", { class: "text", dir: "auto" }, mail.quoted)),
  );
}

function bubble(message, { channel, thread, isLast, react }) {
  const hers = message.direction === "sent";
  const quoted = message.reply_to && thread.find((one) => one.id === message.reply_to);
  const state = message.seen ? "Seen" : "Sent";
  return element(
    "div",
    { class: hers ? "line hers" : "line", "data-id": message.id },
    quoted && element("span", { class: "quote", dir: "auto" }, quoted.text),
    message.text && element("div", { class: "bubble", dir: "auto" }, message.text),
    pictures(message.files),
    message.reaction && element("span", { class: "reaction" }, message.reaction),
    hers && isLast && element("span", { class: "state" }, `${state} ${clock(message.at)}`),
    !hers &&
      channel === "instagram" &&
      element(
        "button",
        { class: "react", type: "button", "aria-label": message.reaction ? "Take the heart back" : "Send a heart", onclick: () => react(message) },
        icon("heart"),
      ),
  );
}

const keyOf = (message) => JSON.stringify([message.id, message.text, message.reaction, message.seen, message.files.length]);

/** Whoever reads the end goes on reading the end when the room for it changes. */
export function keepEnd() {
  const box = find("thread");
  let atEnd = true;
  box.addEventListener("scroll", () => {
    atEnd = box.scrollHeight - box.scrollTop - box.clientHeight < 24;
  });
  new ResizeObserver(() => {
    if (atEnd) box.scrollTop = box.scrollHeight;
  }).observe(box);
}

/** Draws the thread. Rows that were there before stay the same elements, so nothing moves and no selection is lost. */
export function showThread(channel, person, thread, react) {
  const box = find("thread");
  const same = box.dataset.shown === `${person.id} ${channel}`;
  const atEnd = box.scrollHeight - box.scrollTop - box.clientHeight < 80;
  const known = new Map(same ? [...box.children].map((row) => [row.dataset.key, row]) : []);
  const lastHers = thread.findLast((message) => message.direction === "sent");
  const rows = [];
  let shownDay = "";
  for (const message of thread) {
    const title = day(message.at);
    if (title !== shownDay) rows.push(known.get(title) ?? dayRow(title));
    shownDay = title;
    const isLast = message === lastHers;
    const key = `${keyOf(message)}${isLast}`;
    let row = known.get(key);
    if (!row) {
      row = channel === "email" ? letter(message) : bubble(message, { channel, thread, isLast, react });
      row.dataset.key = key;
      if (same && !known.has(`${keyOf(message)}${!isLast}`)) row.classList.add("enter");
    }
    rows.push(row);
  }
  if (rows.length === 0) rows.push(element("p", { class: "nothing" }, EMPTY[channel]));
  box.dataset.channel = channel;
  box.dataset.shown = `${person.id} ${channel}`;
  box.replaceChildren(...rows);
  if (!same || atEnd) box.scrollTop = box.scrollHeight;
}

function dayRow(title) {
  const row = element("p", { class: "day" }, title);
  row.dataset.key = title;
  return row;
}

/** The words of the story as they are typed; gone with the next drawing of the thread. */
export function showTyping(channel, subject, text, milliseconds) {
  const box = find("thread");
  box.querySelector(".nothing")?.remove();
  box.querySelector(".ghost")?.remove();
  const words = element("span", {});
  const caret = element("span", { class: "caret" });
  const ghost =
    channel === "email"
      ? element("article", { class: "letter hers ghost" }, element("h3", {}, subject), element("div", { class: "text" }, words, caret))
      : element("div", { class: "line hers ghost" }, element("div", { class: "bubble" }, words, caret));
  box.append(ghost);
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const began = performance.now();
  const step = (now) => {
    const share = calm ? 1 : Math.min((now - began) / milliseconds, 1);
    words.textContent = text.slice(0, Math.ceil(text.length * share));
    box.scrollTop = box.scrollHeight;
    if (share < 1 && ghost.isConnected) requestAnimationFrame(step);
  };
  requestAnimationFrame(step);
}
