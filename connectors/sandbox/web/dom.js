// A few words for building elements. Text is always text, never markup.

const SVG = "http://www.w3.org/2000/svg";

/** An element; `null` and `false` children and attributes are left out. */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === false || value === undefined) continue;
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (key === "class") made.className = value;
    else made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.flat().filter((child) => child !== null && child !== false && child !== undefined));
  return made;
}

export function icon(name) {
  const made = document.createElementNS(SVG, "svg");
  const use = document.createElementNS(SVG, "use");
  made.setAttribute("class", "icon");
  made.setAttribute("aria-hidden", "true");
  use.setAttribute("href", `#glyph-${name}`);
  made.append(use);
  return made;
}

export const find = (id) => document.getElementById(id);

export function clock(iso) {
  return new Date(iso).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
}

export function day(iso) {
  const moment = new Date(iso);
  if (moment.toDateString() === new Date().toDateString()) return "Today";
  return moment.toLocaleDateString([], { weekday: "short", day: "numeric", month: "short" });
}
