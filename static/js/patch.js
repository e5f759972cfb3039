/* hx-swap="patch": every element of the answer goes where the element with its id is; new timeline rows and list rows
   find their own place. What equals what is shown is left alone, and nothing that is being read moves. */
import { $ } from "./page.js";

const placers = [];

/** `place(element)` puts in an element whose id is not on the page yet; true when it did. */
export const placing = (place) => placers.push(place);

const patched = [];
/** `run(element, isNew)` after an element was put in. */
export const afterPatch = (run) => patched.push(run);

export function patch(fragment) {
  const done = [];
  for (const element of [...fragment.children]) {
    const old = element.id && document.getElementById(element.id);
    if (old) {
      if (isSame(old, element)) continue;
      exchange(old, element);
    } else if (!placers.some((place) => place(element))) continue;
    done.push(element);
    for (const run of patched) run(element, !old);
  }
  return done;
}

/** Fetched or pushed text instead of an htmx answer. */
export function patchText(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  const done = patch(template.content);
  for (const element of done) htmx.process(element);
  return done;
}

function isSame(old, fresh) {
  if (old.matches(".grouped")) return true; // an event inside "3 changes"; events never change
  if (old.dataset.rev && fresh.dataset.rev) return old.dataset.rev === fresh.dataset.rev && old.className.split(" ")[0] === fresh.className.split(" ")[0];
  if (fresh.id === "case-head" && old.dataset.version === fresh.dataset.version) return true;
  return old.isEqualNode(fresh);
}

function exchange(old, fresh) {
  const focused = old.contains(document.activeElement) ? document.activeElement : null;
  const place = focused ? [...old.querySelectorAll(focused.tagName)].indexOf(focused) : -1;
  const open = old.querySelector(":popover-open")?.id;
  const wasOpen = [...old.querySelectorAll("details")].map((each) => each.open);
  const scroll = old.scrollTop;
  old.replaceWith(fresh);
  fresh.scrollTop = scroll;
  [...fresh.querySelectorAll("details")].forEach((each, number) => { if (wasOpen[number]) each.open = true; });
  if (open) document.getElementById(open)?.showPopover();
  if (!focused) return;
  const again = (focused.id && document.getElementById(focused.id))
    || (focused.dataset.key && $(`[data-key="${focused.dataset.key}"]`, fresh))
    || (focused.name && $(`[name="${focused.name}"]`, fresh))
    || fresh.querySelectorAll(focused.tagName)[place];
  again?.focus({ preventScroll: true });
}

htmx.registerExtension("patch", {
  /** The button that asked may be exchanged before the answer comes; the page itself never is. */
  htmx_config_request(_, { ctx }) {
    if (ctx.swap?.startsWith("patch")) ctx.target = document.body;
  },

  handle_swap(style, target, fragment) {
    if (style !== "patch") return false;
    const done = patch(fragment);
    return done.length ? done : [document.createElement("i")];
  },
});
