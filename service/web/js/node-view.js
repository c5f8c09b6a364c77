/** One node in full: what it was asked, what it did at each turn, and what came of it. */

import { block, dot, el, empty, loading, pairs, problemBox } from "./dom.js";
import { answerText, count, duration, percent, usd, words } from "./format.js";
import { secondsByKind } from "./timeline.js";
import { ancestors } from "./rows.js";
import { STATES } from "./tree-model.js";
import { turnView } from "./turn-view.js";

export class NodeView {
  /** `load(path, signal)`: its detail. `onSelect(path)`, `onCite(span)`, `titleOf(document)`. */
  constructor({ load, onSelect, onCite, titleOf }) {
    Object.assign(this, { load, onSelect, onCite, titleOf });
    this.path = null;
    this.state = el("span", { class: "chip" });
    this.live = el("div");
    this.detail = el("div", { class: "side-rest" });
    this.element = el("div", {}, empty("Choose a node of the tree to see what it was asked and did."));
  }

  /** Show the node of `path`, as the service knows it now. */
  async show(path) {
    this.path = path;
    this.stale = false;
    this.loading?.abort();
    this.loading = new AbortController();
    this.drawn = "";
    this.detail.replaceChildren(loading("Loading the node …"));
    this.element.replaceChildren(this.#crumbs(path), this.live, this.detail);
    this.element.scrollTop = 0;
    await this.#fill(path, this.loading.signal);
  }

  /** What the events tell of it, at every frame; its detail is read again when it has changed. */
  draw(model, now) {
    const node = this.path === null ? null : model.get(this.path);
    if (!node || this.element.hidden) return;
    const what = `${node.path}|${node.state}|${node.numTurns}`;
    const isNew = this.drawn !== what;
    if (isNew && this.drawn.startsWith(`${node.path}|`)) this.#fill(node.path, this.loading.signal);
    this.drawn = what;
    const sums = `${what}|${node.sub.turns}|${node.sub.states.ok}|${node.ended ? 0 : now.toFixed(1)}`;
    if (sums === this.sums) return;
    this.sums = sums;
    this.state.replaceChildren(dot(node.state), words(node.state));
    this.live.replaceChildren(liveFacts(node, now));
  }

  async #fill(path, signal) {
    try {
      const detail = await this.load(path, signal);
      if (this.path !== path) return;
      const open = new Set([...this.detail.querySelectorAll("details[open]")].map((one) => one.dataset.key));
      this.detail.replaceChildren(...this.#sections(detail, open));
    } catch (error) {
      if (error.name === "AbortError" || this.path !== path) return;
      this.detail.replaceChildren(problemBox(error, () => this.show(path)));
    }
  }

  #crumbs(path) {
    const links = ancestors(path).flatMap((above) => [el("button", { class: "link mono", type: "button",
      text: above, on: { click: () => this.onSelect(above) } }), el("span", { class: "muted", text: "/" })]);
    return el("nav", { class: "crumbs", "aria-label": "Nodes above" }, links,
      el("span", { class: "here", text: path }), this.state);
  }

  #sections(detail, open) {
    const state = detail.packed_state;
    return [
      block("Goal", el("p", { class: "prose small-prose", text: detail.goal })),
      detail.brief ? block("Brief from its parent", el("p", { class: "prose", text: detail.brief })) : null,
      detail.failure ? el("div", { class: "problem" }, el("strong", { text: detail.failure.message }),
        el("span", { class: "small mono", text: detail.failure.code })) : null,
      detail.answer === null ? null : block("Outcome", outcome(detail)),
      detail.citations.length ? block("It cites", this.#spans(detail.citations)) : null,
      detail.inputs.length ? block("It was given", this.#spans(detail.inputs)) : null,
      block("Node", pairs([
        ["Policy", detail.policy],
        ["Packed state", state ? `${state.form}, ${count(state.tokens)} tokens, ${count(state.bytes)} bytes` : "none, it is the root"],
        ["Outcome", detail.outcome ? words(detail.outcome) : "not ended"],
        ["Complete", detail.complete === null ? null : detail.complete ? "yes" : "no, something below is missing"],
        ["Lost leases", detail.attempts ? count(detail.attempts) : null],
        ["Generation", detail.generation > 1 ? count(detail.generation) : null],
        ["Budget left", `${count(detail.budget.tokens)} tokens, ${count(detail.budget.nodes)} nodes`],
        ["Critical path", detail.critical_path_s === null ? null : duration(detail.critical_path_s)],
        ["In sequence", detail.sequential_s === null ? null : duration(detail.sequential_s)],
        ["Notices", detail.notices.map(words).join(", ")],
      ])),
      detail.notes.length ? block("Notes", el("ul", {}, detail.notes.map((note) => el("li", { class: "prose", text: note })))) : null,
      detail.expects ? block("Expected form", el("pre", { text: JSON.stringify(detail.expects, null, 2) })) : null,
      block(`Turns (${count(detail.turns.length)})`, detail.turns.length
        ? detail.turns.map((turn, index) => turnView(turn, open.size ? open.has(String(index)) : index === detail.turns.length - 1, index))
        : el("p", { class: "muted", text: "None yet." })),
    ].filter(Boolean);
  }

  #spans(spans) {
    return el("ul", {}, spans.slice(0, 40).map((span) => el("li", {}, el("button", { class: "link",
      type: "button", on: { click: () => this.onCite(span) },
      text: `${this.titleOf(span.document)}, ${count(span.start)}–${count(span.end)}` }))),
    spans.length > 40 ? el("li", { class: "muted", text: `and ${count(spans.length - 40)} more` }) : null);
  }
}

function outcome(detail) {
  const isText = typeof detail.answer === "string";
  return el("p", { class: isText ? "prose" : "prose code", text: answerText(detail.answer) });
}

/** Where its time went, and what it and all below it have used. */
function liveFacts(node, now) {
  const seconds = secondsByKind(node.spans, now);
  const states = STATES.filter((state) => node.sub.states[state])
    .map((state) => `${count(node.sub.states[state])} ${words(state)}`).join(", ");
  const own = `${count(node.own.promptTokens)} in, ${count(node.own.completionTokens)} out`;
  return block("Use", pairs([
    ["Time", `queued ${duration(seconds.queue)}, model ${duration(seconds.model)}`],
    ["Waited for children", seconds.children ? duration(seconds.children) : null],
    ["Queued again", node.numRequeues ? `${count(node.numRequeues)} times` : null],
    ["Its own tokens", own],
    ["Subtree", node.children.length ? `${count(node.sub.nodes)} nodes, ${count(node.sub.tokens)} tokens, ${usd(node.sub.costUsd)}` : null],
    ["Own share of model time", node.children.length && node.sub.modelS ? percent(node.own.modelS / node.sub.modelS) : null],
    ["Nodes below", node.children.length ? states : null],
  ]));
}
