/* The switch card: it folds to a strip at the first keystroke, and its acts fill the composer. */
import { $, act, say } from "./page.js";
import { afterPatch } from "./patch.js";

/** Folded here, and remembered on the server: this agent has looked. */
export function fold() {
  const card = $("#card.card:not(.strip)");
  if (!card) return;
  card.classList.add("strip");
  card.classList.remove("shown");
  htmx.ajax("POST", `/cases/${$("#main").dataset.case}/card/seen/`, { target: "#card", swap: "patch" });
}

act("card-show", () => {
  const card = $("#card");
  card.classList.remove("strip");
  card.classList.add("shown");
});

afterPatch((element, isNew) => {
  if (element.id === "card" && element.matches(".card") && !element.matches(".strip")) {
    if ($("#reply-text")?.value.trim()) element.classList.add("strip"); // never in the way of somebody who is writing
    element.classList.add("arrived");
    say(element.getAttribute("aria-label"));
  }
});
