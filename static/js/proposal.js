/* "Where": the words a proposal rests on are marked in the message, here or on the page they lead to. */
import { $ } from "./page.js";

const KEPT = "throughline-find";

/** Marks a value in the message, however its digits are spaced; the page itself is not touched. */
function mark(row, value) {
  if (!row || !value || !CSS.highlights) return;
  const digits = value.replace(/\D/g, "");
  const isNumber = /^[+\d]/.test(value) && digits.length > 6;
  const letters = isNumber ? [...digits.slice(-10)] : [...value.replace(/^[#@]/, "")];
  const escaped = letters.map((each) => each.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  const wanted = new RegExp(escaped.join(isNumber ? "[\\s().-]*" : ""), "gi");
  const ranges = [];
  const walker = document.createTreeWalker(row, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    for (const found of walker.currentNode.data.matchAll(wanted)) {
      const range = new Range();
      range.setStart(walker.currentNode, found.index);
      range.setEnd(walker.currentNode, found.index + found[0].length);
      ranges.push(range);
    }
  }
  CSS.highlights.set("told", new Highlight(...ranges));
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-find]");
  if (!link) return;
  const here = $(link.hash);
  if (here) mark(here, link.dataset.find);
  else sessionStorage.setItem(KEPT, JSON.stringify({ hash: link.hash, value: link.dataset.find }));
});

function start() {
  const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? "null");
  const row = kept && $(kept.hash);
  if (!row) return;
  sessionStorage.removeItem(KEPT);
  mark(row, kept.value);
}
document.addEventListener("case:opened", start);
start();
