/* Mail bodies sit in sandboxed frames; same origin lets us read their height and nothing in them can run. */
import { act } from "./page.js";
import { atEnd, toEnd } from "./timeline.js";

const MOST = 720;

function fit(frame) {
  const page = frame.contentDocument;
  if (!page?.body) return;
  const end = frame.closest(".timeline") && atEnd();
  const whole = Math.ceil(page.documentElement.scrollHeight);
  const shown = frame.dataset.all ? whole : Math.min(whole, MOST);
  frame.style.height = `${Math.max(shown, 40)}px`;
  frame.parentElement.querySelector("[data-act=mail-all]").hidden = whole <= MOST || Boolean(frame.dataset.all);
  if (end) toEnd();
}

document.addEventListener("load", (event) => {
  const frame = event.target;
  if (!frame.matches?.(".mail iframe")) return;
  fit(frame);
  const body = frame.contentDocument?.body;
  if (body) new ResizeObserver(() => fit(frame)).observe(body);
}, true);

for (const frame of document.querySelectorAll(".mail iframe")) if (frame.contentDocument?.readyState === "complete") fit(frame);

act("mail-all", (button) => {
  const frame = button.parentElement.querySelector("iframe");
  frame.dataset.all = "yes";
  fit(frame);
});

act("mail-images", (button) => {
  const frame = button.closest(".mail").querySelector("iframe");
  frame.src = `${frame.getAttribute("src").split("?")[0]}?images=1`;
  button.closest(".blocked").remove();
});
