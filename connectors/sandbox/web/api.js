// The control API. Every failure is an Error with a sentence.

async function answer(response) {
  const body = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(body.error ?? `The sandbox answered ${response.status}.`);
  return body;
}

async function ask(path, options) {
  let response;
  try {
    response = await fetch(`/control/${path}`, options);
  } catch {
    throw new Error("The sandbox does not answer. Your text is still here.");
  }
  return answer(response);
}

export const get = (path) => ask(path);

export const post = (path, body) =>
  ask(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });

/** Calls `heard` for every change, `link(true|false)` as the stream comes and goes. The browser reconnects by itself. */
export function listen(heard, link) {
  const stream = new EventSource("/control/events");
  stream.addEventListener("message", (message) => heard(JSON.parse(message.data)));
  stream.addEventListener("open", () => link(true));
  stream.addEventListener("error", () => link(false));
}
