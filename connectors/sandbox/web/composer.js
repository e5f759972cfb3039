// What the customer is about to send, and the buttons under the phone. Text is kept per person and channel.

import { post } from "./api.js";
import { element, find } from "./dom.js";
import { addressOf } from "./people.js";

const COLLEAGUE = "Bob Lee <bob.lee@partner.example>";
const ELSEWHERE = { sms: "+12125550147", whatsapp: "+12125550147", email: "Robin Vale <robin@elsewhere.example>" };
const CHANNELS = ["email", "sms", "instagram"];
const LETTERS = new Set(["newsletter", "out_of_office", "order"]);
const HINTS = { email: "Write a mail", sms: "Text message", instagram: "Message", whatsapp: "Message" };

export class Composer {
  /** `current()` gives {person, channel, connectors, thread}; `sent(person)` is called after every success, with
   * a person to look at when the message went from another phone. */
  constructor(current, sent) {
    this.current = current;
    this.sent = sent;
    this.drafts = new Map();
    this.photos = 0;
    this.old = false;
    this.elsewhere = false;
    this.hidden = false;
    this.text = find("text");
    find("composer").addEventListener("submit", (event) => {
      event.preventDefault();
      this.send();
    });
    this.text.addEventListener("keydown", (event) => this.keyed(event));
    this.text.addEventListener("input", () => this.showReady());
    find("beneath").addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (button) this.press(button.dataset.act ?? button.dataset.toggle);
    });
  }

  keyed(event) {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    if (this.current().channel === "email" && !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    this.send();
  }

  /** Another person or app is shown: put the text away and take the other one out. */
  show(before) {
    if (before) this.drafts.set(before, [this.text.value, find("subject").value, find("cc").value]);
    const { person, channel, connectors } = this.current();
    [this.text.value, find("subject").value, find("cc").value] = this.drafts.get(`${person.id} ${channel}`) ?? ["", "", ""];
    const ours = connectors.filter((one) => one.kind === channel);
    find("to").replaceChildren(
      ...(channel === "email" ? [element("option", { value: "" }, "Whoever wrote last, or the shop")] : []),
      ...ours.map((one) => element("option", { value: one.address }, one.name ? `${one.name} · ${one.address}` : one.address)),
    );
    find("composer").dataset.channel = channel;
    find("fields").hidden = channel !== "email" && ours.length < 2;
    this.text.placeholder = HINTS[channel];
    this.tell("");
    this.showExtras();
  }

  showExtras() {
    const { person, channel } = this.current();
    const carried = [];
    const add = (words, remove) => carried.push(element("li", {}, element("button", { type: "button", "aria-label": `${words}, remove`, onclick: remove }, words)));
    if (this.photos > 0) add(this.photos === 1 ? "1 photo" : `${this.photos} photos`, () => this.set({ photos: 0 }));
    if (this.old) add("as if 25 h ago", () => this.set({ old: false }));
    if (this.elsewhere && ELSEWHERE[channel]) add(`from ${ELSEWHERE[channel]}`, () => this.set({ elsewhere: false }));
    if (this.hidden && channel === "whatsapp") add("without the number", () => this.set({ hidden: false }));
    find("carried").replaceChildren(...carried);
    for (const button of find("beneath").querySelectorAll("button")) {
      const fits = !button.dataset.for || button.dataset.for.split(" ").includes(channel);
      button.hidden = !fits;
      if (button.dataset.toggle) button.setAttribute("aria-pressed", String(Boolean(this[button.dataset.toggle])));
      if (button.dataset.act === "everywhere") button.disabled = !CHANNELS.every((one) => addressOf(person, one));
    }
    this.showReady();
  }

  showReady() {
    find("send").setAttribute("aria-disabled", String(!this.text.value.trim() && this.photos === 0));
  }

  set(changes) {
    Object.assign(this, changes);
    this.showExtras();
  }

  press(act) {
    const { person, channel } = this.current();
    if (act === "photo") this.set({ photos: Math.min(this.photos + 1, 10) });
    else if (act === "old") this.set({ old: !this.old });
    else if (act === "elsewhere") this.set({ elsewhere: !this.elsewhere });
    else if (act === "hidden") this.set({ hidden: !this.hidden });
    else if (act === "colleague") find("cc").value = find("cc").value ? "" : COLLEAGUE;
    else if (act === "everywhere") this.everywhere();
    else if (act === "stop") this.run(() => post("say", { customer: person.id, channel: "sms", text: "STOP" }));
    else if (act === "unsend") this.run(() => post("unsend", { customer: person.id }));
    else if (LETTERS.has(act)) this.run(() => post("say", { customer: person.id, channel, letter: act }));
  }

  extras(channel) {
    return {
      ...(this.photos > 0 && { files: this.photos }),
      ...(this.old && { age_hours: 25 }),
      ...(this.hidden && channel === "whatsapp" && { hide_number: true }),
      ...(this.elsewhere && ELSEWHERE[channel] && { from: ELSEWHERE[channel] }),
    };
  }

  async send() {
    const { person, channel } = this.current();
    const text = this.text.value.trim();
    if (!text && this.photos === 0) return;
    const [subject, cc, to] = [find("subject").value.trim(), find("cc").value.trim(), find("to").value];
    const answer = await this.run(
      () =>
        post("say", {
          customer: person.id,
          channel,
          text,
          ...this.extras(channel),
          ...(to && { to }),
          ...(channel === "email" && subject && { subject }),
          ...(channel === "email" && cc && { cc: cc.split(/\s*[,;]\s*/) }),
        }),
      true,
    );
    if (answer && this.elsewhere && ELSEWHERE[channel]) this.leave(answer.person);
  }

  /** Written on somebody else's phone: look at that one, where the answer will come. */
  leave(person) {
    this.set({ elsewhere: false });
    this.sent(person);
  }

  async everywhere() {
    const { person } = this.current();
    const text = this.text.value.trim();
    if (!text) {
      this.tell("Write something first.");
      this.text.focus();
      return;
    }
    await this.run(async () => {
      for (const channel of CHANNELS) await post("say", { customer: person.id, channel, text, ...this.extras(channel) });
    }, true);
  }

  /** Does it; on success clears what was sent if `clears`, on failure keeps every word and says why. */
  async run(work, clears = false) {
    const { person, channel } = this.current();
    let answer;
    try {
      answer = await work();
    } catch (error) {
      this.tell(error.message);
      return null;
    }
    this.tell("");
    if (clears) {
      this.drafts.delete(`${person.id} ${channel}`);
      this.text.value = find("subject").value = find("cc").value = "";
      this.set({ photos: 0, old: false });
      this.text.focus({ preventScroll: true });
    }
    this.sent();
    return answer ?? {};
  }

  tell(sentence) {
    find("trouble").textContent = sentence;
    find("trouble").hidden = !sentence;
  }
}
