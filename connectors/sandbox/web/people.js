// The column of people: a name, up to three addresses, what they have not read.

import { element, find, icon } from "./dom.js";

const WAYS = [
  ["email", "email"],
  ["sms", "phone"],
  ["instagram", "instagram_handle"],
  ["whatsapp", "whatsapp"],
];
const ADDRESSES = { email: "email", sms: "phone", instagram: "instagram_id", whatsapp: "whatsapp" };

export const addressOf = (person, channel) => person[ADDRESSES[channel]];

export function shownAddress(person, channel) {
  if (channel !== "instagram") return addressOf(person, channel);
  return person.instagram_handle ? `@${person.instagram_handle.replace(/^@/, "")}` : person.instagram_id;
}

function card(person, chosen, choose) {
  const ways = WAYS.filter(([channel]) => addressOf(person, channel)).map(([channel]) => {
    const unread = person.unread[channel];
    return element(
      "span",
      { class: "way", "data-channel": channel, "data-unread": unread > 0 },
      icon(channel),
      element("span", {}, shownAddress(person, channel)),
      unread > 0 && element("b", { "aria-label": `${unread} unread` }, String(unread)),
    );
  });
  const who = element(
    "span",
    { class: "who" },
    element("span", { class: "name", dir: "auto" }, person.name),
    person.note && element("span", { class: "note" }, person.note),
  );
  const button = element(
    "button",
    { class: "card", type: "button", "data-person": person.id, "aria-current": String(person.id === chosen), onclick: () => choose(person.id) },
    who,
    ways,
  );
  return element("li", {}, button);
}

export function showPeople(people, chosen, choose) {
  const list = find("people");
  const focused = document.activeElement?.dataset?.person;
  const [customers, strangers] = [people.filter((one) => !one.stranger), people.filter((one) => one.stranger)];
  const cards = customers.map((person) => card(person, chosen, choose));
  if (strangers.length > 0) cards.push(element("li", { class: "others" }, "Others who wrote or were copied in"));
  cards.push(...strangers.map((person) => card(person, chosen, choose)));
  list.replaceChildren(...cards);
  if (focused) list.querySelector(`[data-person="${CSS.escape(focused)}"]`)?.focus();
}
