/* How much of the text fits, while it is typed. The server counts again (connectors/adapters, `limits.count`). */

const GSM = new Set("@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà");
const GSM_DOUBLE = new Set("^{}\\[]~|€\f");

/** Segments as carriers bill them: GSM 03.38, else UCS-2; a character is never torn over an edge. */
function segments(text) {
  const letters = [...text];
  const isGsm = letters.every((letter) => GSM.has(letter) || GSM_DOUBLE.has(letter));
  const [single, part] = isGsm ? [160, 153] : [70, 67];
  const costs = letters.map((letter) => (isGsm ? (GSM_DOUBLE.has(letter) ? 2 : 1) : letter.length));
  const used = costs.reduce((sum, cost) => sum + cost, 0);
  if (used <= single) return { used, space: single, parts: 1 };
  let parts = 1, filled = 0;
  for (const cost of costs) {
    if (filled + cost > part) [parts, filled] = [parts + 1, 0];
    filled += cost;
  }
  return { used, space: parts * part, parts };
}

export function room(channel, text) {
  if (channel === "sms") {
    const { used, space, parts } = segments(text);
    return { words: `${parts} segment${parts > 1 ? "s" : ""} · ${used}/${space}`, over: parts > 3 };
  }
  if (channel === "instagram") {
    const bytes = new TextEncoder().encode(text).length, parts = Math.max(Math.ceil(bytes / 1000), 1);
    return bytes > 700 ? { words: `${bytes.toLocaleString("en")}/1,000 bytes${parts > 1 ? ` · ${parts} messages` : ""}`, over: parts > 1 } : { words: "", over: false };
  }
  if (channel === "whatsapp") {
    const letters = text.length, parts = Math.max(Math.ceil(letters / 1600), 1);
    return letters > 1200 ? { words: `${letters.toLocaleString("en")}/1,600 characters${parts > 1 ? ` · ${parts} messages` : ""}`, over: parts > 1 } : { words: "", over: false };
  }
  return { words: "", over: false };
}
