/** Server-sent events: bytes in, events out, as the HTML standard defines the format. Pure. */

export class EventParser {
  #decoder = new TextDecoder();
  #rest = "";

  /** The events that are complete with this chunk: `{event, id, data}`; comments are passed over. */
  push(bytes) {
    this.#rest += this.#decoder.decode(bytes, { stream: true });
    const blocks = this.#rest.split(/\r?\n\r?\n/);
    this.#rest = blocks.pop();
    return blocks.map(parseBlock).filter((event) => event !== null);
  }
}

function parseBlock(block) {
  const found = { event: "message", id: null, data: [] };
  for (const line of block.split(/\r?\n/)) {
    const cut = line.indexOf(":");
    if (cut === 0) continue;
    const name = cut < 0 ? line : line.slice(0, cut);
    const value = cut < 0 ? "" : line.slice(cut + 1).replace(/^ /, "");
    if (name === "event") found.event = value;
    else if (name === "id") found.id = value;
    else if (name === "data") found.data.push(value);
  }
  return found.data.length ? { ...found, data: found.data.join("\n") } : null;
}
