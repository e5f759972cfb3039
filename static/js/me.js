/* The agent's own settings take effect at once; the form keeps them. */
import { $, act, toast } from "./page.js";
import { title } from "./list.js";
import { afterPatch } from "./patch.js";

document.addEventListener("change", (event) => {
  const what = event.target.dataset?.looks;
  if (what === "theme") document.documentElement.dataset.theme = event.target.value;
  if (what === "density") document.documentElement.dataset.density = event.target.value;
  if (what === "keys") document.body.dataset.keys = event.target.checked ? "on" : "off";
});

const ask = $('[data-act="notify"]');
if (ask && "Notification" in window && Notification.permission === "default") ask.hidden = false;
act("notify", async (button) => {
  const answer = await Notification.requestPermission();
  button.hidden = answer !== "default";
  toast(answer === "granted" ? "You will be told when a customer of yours moves." : "Your browser does not allow it.");
});

afterPatch((element) => {
  if (element.id === "alerts-badge") title();
  if (element.id === "me") $("#me-menu:popover-open")?.hidePopover();
});
