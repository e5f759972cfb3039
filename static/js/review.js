/* Identity review without a mouse: moving through the cards, and the three answers. */
import { $, $$ } from "./page.js";
import { key } from "./keys.js";

const KEPT = "throughline-review";
const cards = () => $$(".proposals .proposal");
const current = () => cards().find((each) => each.contains(document.activeElement));

function stand(card) {
  card?.focus({ preventScroll: true });
  card?.scrollIntoView({ block: "nearest" });
}

function step(by) {
  const all = cards();
  if (!all.length) return false;
  const at = all.indexOf(current());
  stand(all[at < 0 ? 0 : Math.min(Math.max(at + by, 0), all.length - 1)]);
}

/** The button of the card one stands on; nothing is answered for a card that nobody chose. */
function press(letter) {
  const button = current()?.querySelector(`[aria-keyshortcuts="${letter}"]`);
  if (!button) return false;
  button.click();
}

const GROUP = { group: "Identity review" };
key("j", "Next", () => step(1), GROUP);
key("k", "Previous", () => step(-1), GROUP);
key("ArrowDown", "", () => (current() ? step(1) : false), GROUP);
key("ArrowUp", "", () => (current() ? step(-1) : false), GROUP);
key("Enter", "Open: compare the two", (event) => (event.target.matches(".proposals .proposal") ? press("Enter") : false), GROUP);
key("s", "Same person", () => press("s"), GROUP);
key("d", "Different people", () => press("d"), GROUP);
key("a", "Ask the customer", () => press("a"), GROUP);

/** An answer draws the page anew: one stands on the card that came next. */
document.addEventListener("submit", (event) => {
  const card = event.target.closest(".proposals .proposal"), all = cards();
  if (!card) return;
  const at = all.indexOf(card);
  sessionStorage.setItem(KEPT, (all[at + 1] ?? all[at - 1] ?? card).id);
});

const kept = $(".page-head") && sessionStorage.getItem(KEPT);
if (kept && location.pathname === "/customers/review/") {
  sessionStorage.removeItem(KEPT);
  stand(document.getElementById(kept) ?? cards()[0]);
}
