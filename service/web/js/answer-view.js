/** The answer of a solve, as it is written and when it is done, with what it rests on. */

import { block, el, empty, setText } from "./dom.js";
import { answerText, count, percent, words } from "./format.js";

export class AnswerView {
  /** `onCite(span)`: show a place of a document. `titleOf(document)`: its name. */
  constructor({ onCite, titleOf }) {
    this.onCite = onCite;
    this.titleOf = titleOf;
    this.meaning = {};
    this.text = el("div", { class: "prose" });
    this.rest = el("div", { class: "side-rest" });
    this.element = el("div", { class: "answer" }, empty("The answer comes here as it is written."));
  }

  /** What each notice means, by its code. */
  setMeanings(meaning) {
    this.meaning = meaning;
  }

  /** The answer so far. */
  drawDraft(text) {
    if (!text) return;
    if (this.text.parentNode !== this.element) this.element.replaceChildren(this.text);
    this.text.classList.add("writing");
    setText(this.text, text);
  }

  /** The result, once the solve has finished. */
  drawResult(result) {
    this.text.classList.remove("writing");
    this.text.classList.toggle("code", typeof result.answer === "object" && result.answer !== null);
    const text = answerText(result.answer);
    setText(this.text, text);
    this.element.replaceChildren(
      ...this.#failure(result), text ? this.text : empty(`No answer: ${words(result.status)}.`),
      ...this.#notices(result), ...this.#citations(result), ...this.#coverage(result));
  }

  #failure({ error }) {
    if (!error) return [];
    return [el("div", { class: "problem" }, el("strong", { text: error.message }),
      el("span", { class: "small mono", text: error.code })),
    ...(error.text ? [block("The best text there is", el("pre", { class: "answer code", text: error.text }))] : [])];
  }

  #notices({ notices }) {
    if (!notices.length) return [];
    return [block("To know about this answer", notices.map((code) => el("p", { class: "note" },
      el("b", { text: words(code) }), this.meaning[code] ? `: ${this.meaning[code]}` : "")))];
  }

  #citations({ citations }) {
    if (!citations.length) return [block("Sources", el("p", { class: "muted",
      text: "This answer cites nothing." }))];
    return [block(`Sources (${count(citations.length)})`, el("ol", { class: "cites" },
      citations.map((citation, index) => el("li", {}, this.#citation(citation, index)))))];
  }

  #citation(citation, index) {
    const place = `${count(citation.start)}–${count(citation.end)}`;
    return el("button", { class: "cite", type: "button",
      on: { click: () => this.onCite(citation) } },
    el("span", { class: "small muted",
      text: `${index + 1} · ${this.titleOf(citation.document)} · ${place}` }),
    el("span", { class: "quote", text: citation.quote }));
  }

  #coverage({ coverage }) {
    if (!coverage?.total_tokens) return [];
    const read = `${count(coverage.read_tokens)} of ${count(coverage.total_tokens)} tokens`;
    const missing = coverage.missing.map((span) => el("li", {}, el("button", { class: "link",
      type: "button", on: { click: () => this.onCite(span) },
      text: `${this.titleOf(span.document)}, ${count(span.start)}–${count(span.end)}` })));
    return [block("Coverage", el("p", { text: `${percent(coverage.share)} of the input was read: ${read}.` }),
      missing.length ? el("p", { class: "muted", text: "Not read:" }) : null,
      missing.length ? el("ul", {}, missing.slice(0, 50)) : null,
      missing.length > 50 ? el("p", { class: "muted", text: `and ${count(missing.length - 50)} more places` }) : null)];
  }
}
