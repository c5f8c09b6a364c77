/**
 * Parts of a document's text by code points, however long it is. The service gives bytes; where the
 * two differ, one pass over the text finds which byte each stretch of code points begins at.
 */

const EVERY = 65_536;

export class DocumentText {
  /** `info`: the document. `open(range)`: a reply with its text, or with `bytes=` of it. */
  constructor(info, open) {
    this.info = info;
    this.open = open;
    /** `[code points, bytes]` of places where a code point begins. */
    this.known = [[0, 0]];
    this.wide = info.num_bytes !== info.num_chars;
  }

  /** The text of `[start, end)`. */
  async read(start, end) {
    if (end <= start) return "";
    if (!this.wide) return this.#bytes(start, end);
    this.indexing ??= this.#index();
    await this.indexing;
    const [fromPoint, fromByte] = this.known.findLast(([points]) => points <= start);
    const after = this.known.find(([points]) => points >= end);
    const text = await this.#bytes(fromByte, after ? after[1] : this.info.num_bytes);
    return Array.from(text).slice(start - fromPoint, end - fromPoint).join("");
  }

  async #bytes(from, to) {
    const reply = await this.open(`bytes=${from}-${to - 1}`);
    const bytes = new Uint8Array(await reply.arrayBuffer());
    // A service that knows no ranges sends all of it, with 200 and not 206.
    const part = reply.status === 206 ? bytes : bytes.subarray(from, to);
    return new TextDecoder().decode(part);
  }

  async #index() {
    const reader = (await this.open(null)).body.getReader();
    let [points, bytes] = [0, 0];
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      for (const byte of value) {
        if ((byte & 0xc0) !== 0x80) {
          if (points % EVERY === 0 && points > 0) this.known.push([points, bytes]);
          points += 1;
        }
        bytes += 1;
      }
    }
  }
}
