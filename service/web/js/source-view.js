/** A document of a solve: any place of it, with what is cited there and what nobody read. */

import { send } from "./api.js";
import { announce, el, empty, loading, problemBox } from "./dom.js";
import { DocumentText } from "./document-text.js";
import { count, percent } from "./format.js";
import { codePoints, pieces, windowAround } from "./spans.js";
import { Strip } from "./strip.js";

const WINDOW = 12_000;

export class SourceView {
  constructor() {
    this.documents = new Map();
    this.texts = new Map();
    this.result = null;
    this.select = el("select", { class: "input", "aria-label": "Document" });
    this.select.addEventListener("change", () => this.go({ document: this.select.value, start: 0, end: 0 }));
    this.note = el("span", { class: "small muted" });
    this.text = el("div", { class: "source-text", tabindex: "0", "aria-label": "Text" });
    this.strip = new Strip({ onPick: (start) => this.go({ document: this.id, start, end: start }) });
    this.inner = el("div", { class: "source" },
      el("div", { class: "source-head" }, this.select, this.note), key(),
      el("div", { class: "source-view" }, this.text, this.strip.element));
    this.element = el("div", {}, empty("This solve has no documents."));
  }

  /** The documents of the solve, in their order: what the service says of each. */
  setDocuments(infos) {
    for (const info of infos) this.documents.set(info.id, info);
    this.select.replaceChildren(...infos.map((info) => el("option", { value: info.id, text: this.titleOf(info.id) })));
    if (infos.length) this.element.replaceChildren(this.inner);
  }

  /** With the result come citations and coverage. */
  setResult(result) {
    this.result = result;
    if (this.id && this.shown) this.#draw();
  }

  titleOf(id) {
    return this.documents.get(id)?.title ?? `document ${id.slice(4, 12)}`;
  }

  get isEmpty() {
    return this.id === undefined;
  }

  /** Show the place of `span`; one that is not empty is highlighted and scrolled to. */
  async go(span) {
    const info = this.documents.get(span.document);
    if (!info) {
      this.element.replaceChildren(empty("This place is not in a document of this solve."));
      return;
    }
    this.element.replaceChildren(this.inner);
    this.id = span.document;
    this.select.value = this.id;
    this.here = span.end > span.start ? span : null;
    await this.#show(windowAround(span, info.num_chars, WINDOW));
    const mark = this.text.querySelector("mark.here");
    if (mark) {
      mark.scrollIntoView({ block: "center" });
      announce(`Characters ${count(span.start)} to ${count(span.end)} of ${this.titleOf(this.id)}`);
    } else this.text.scrollTop = this.shown?.start === 0 ? 0 : this.text.scrollHeight / 2;
  }

  async #show(wanted) {
    const asked = (this.asked = Symbol("read"));
    this.text.replaceChildren(loading("Loading the text …"));
    try {
      const text = await this.#textOf(this.id).read(wanted.start, wanted.end);
      if (this.asked !== asked) return;
      this.shown = wanted;
      this.points = codePoints(text);
      this.#draw();
    } catch (error) {
      if (this.asked === asked) this.text.replaceChildren(problemBox(error, () => this.#show(wanted)));
    }
  }

  #textOf(id) {
    if (!this.texts.has(id)) {
      const path = `/documents/${encodeURIComponent(id)}/text`;
      this.texts.set(id, new DocumentText(this.documents.get(id),
        (range) => send(path, range ? { headers: { Range: range } } : {})));
    }
    return this.texts.get(id);
  }

  #draw() {
    const info = this.documents.get(this.id);
    const own = (spans) => (spans ?? []).filter((span) => span.document === this.id);
    const cited = own(this.result?.citations);
    const missing = this.result?.coverage ? own(this.result.coverage.missing) : null;
    const marks = [
      ...cited.map(({ start, end }) => ({ start, end, kind: "cited" })),
      ...(missing ?? []).map(({ start, end }) => ({ start, end, kind: "unread" })),
      ...(this.here ? [{ start: this.here.start, end: this.here.end, kind: "here" }] : []),
    ];
    const { start, end } = this.shown;
    const body = el("pre", {}, pieces(start, end, marks).map((piece) => this.#piece(piece)));
    this.text.replaceChildren(...[
      start > 0 ? this.#edge("Earlier text", Math.max(0, start - WINDOW)) : null, body,
      end < info.num_chars ? this.#edge("Later text", end) : null,
    ].filter(Boolean));
    this.strip.draw({ length: info.num_chars, missing, cited, here: this.here, shown: this.shown });
    this.note.textContent = `${count(info.num_chars)} characters`
      + (missing ? `, ${percent(readShare(info.num_chars, missing))} read` : "");
  }

  #piece({ start, end, kinds }) {
    const text = this.points.slice(start - this.shown.start, end - this.shown.start).join("");
    if (kinds.includes("here")) return el("mark", { class: "here", text });
    if (kinds.includes("cited")) return el("mark", { text });
    return kinds.includes("unread") ? el("span", { class: "unread", text }) : text;
  }

  #edge(label, start) {
    return el("div", { class: "edge" }, el("button", { class: "button quiet", type: "button", text: label,
      on: { click: () => this.#turnTo(start) } }));
  }

  async #turnTo(start) {
    await this.#show({ start, end: Math.min(start + WINDOW, this.documents.get(this.id).num_chars) });
    this.text.scrollTop = 0;
  }
}

function readShare(length, missing) {
  return length ? 1 - missing.reduce((sum, span) => sum + span.end - span.start, 0) / length : 1;
}

function key() {
  const entry = (name, text) => el("span", {}, el("i", { class: `key-${name}` }), text);
  return el("p", { class: "source-key", "aria-hidden": "true" }, entry("read", "read"),
    entry("unread", "not read"), entry("cited", "cited"), entry("here", "this place"));
}
