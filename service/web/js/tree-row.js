/** One row of the tree on the page. Rows are few and are given other nodes as one scrolls. */

import { drawBars } from "./bars.js";
import { el, setText } from "./dom.js";
import { compact, count, duration, usd, words } from "./format.js";
import { secondsByKind } from "./timeline.js";

let serial = 0;

export class TreeRow {
  constructor() {
    this.dot = el("span", { class: "dot" });
    this.path = el("span", { class: "path" });
    this.kind = el("span", { class: "kind" });
    this.goal = el("span", { class: "goal" });
    this.tokens = el("span", { class: "right tokens" });
    this.cost = el("span", { class: "right cost" });
    this.bars = el("canvas", { class: "bars" });
    this.element = el("div", { class: "tree-row", role: "treeitem", id: `row-${(serial += 1)}` },
      el("span", { class: "name" },
        el("button", { class: "twisty", type: "button", tabindex: "-1", "aria-hidden": "true" }),
        this.dot, this.path, this.kind, this.goal),
      this.tokens, this.cost, this.bars);
    this.shown = "";
    this.drawn = "";
  }

  /** Show `node` at row `index`. `view`: what all rows share at this moment. */
  show(node, index, view) {
    const isCritical = view.critical.has(node.path);
    const what = [node.path, node.stamp, node.parent?.children.length, index, isCritical,
      node.path === view.selected, view.collapsed.has(node.path)].join("|");
    // Most rows are what they were a frame ago, and writing the same again costs as much as news.
    if (what !== this.shown) {
      this.shown = what;
      this.#write(node, index, view, isCritical);
    }
    this.#draw(node, view, isCritical);
  }

  #write(node, index, view, isCritical) {
    this.element.style.setProperty("--depth", node.depth);
    this.element.style.transform = `translateY(${index * view.rowHeight}px)`;
    this.element.dataset.path = node.path;
    this.element.classList.toggle("critical", isCritical);
    this.dot.dataset.state = node.state;
    setText(this.path, node.path);
    setText(this.kind, kindOf(node));
    setText(this.goal, node.goal);
    setText(this.tokens, compact(node.sub.tokens));
    setText(this.cost, usd(node.sub.costUsd));
    this.#describe(node, view, isCritical);
  }

  #describe(node, view, isCritical) {
    const seconds = secondsByKind(node.spans, view.now);
    const label = [
      `Node ${node.path}`, words(node.state), kindOf(node), isCritical ? "on the critical path" : "",
      `${count(node.sub.tokens)} tokens`, `model ${duration(seconds.model)}`,
      `queued ${duration(seconds.queue)}`,
    ].filter(Boolean).join(", ");
    const position = node.parent ? node.parent.children.length : 1;
    setAttributes(this.element, {
      "aria-label": label,
      "aria-level": node.depth + 1,
      "aria-posinset": node.index + 1,
      "aria-setsize": position,
      "aria-selected": node.path === view.selected,
      "aria-expanded": node.children.length ? !view.collapsed.has(node.path) : null,
    });
  }

  #draw(node, view, isCritical) {
    if (view.scale.width < 2) return;
    const last = node.spans.at(-1);
    const { from, length, width, ratio, now } = view.scale;
    // A bar that grows is drawn anew when it is a pixel longer.
    const end = last?.to === null ? Math.round(((now - from) / length) * width * ratio) : 0;
    const what = [node.path, node.spans.length, last?.to, end, view.stamp, isCritical].join("|");
    if (what === this.drawn) return;
    this.drawn = what;
    drawBars(this.bars, node, view.scale, view.colour, isCritical);
  }
}

/** What the node did last, or that it is over in a way that is not well. */
function kindOf(node) {
  if (node.ended && node.state !== "ok") return words(node.state);
  if (node.children.length) return `${node.kind ?? "delegate"} · ${count(node.sub.nodes - 1)} below`;
  return node.kind ?? (node.state === "running" ? "working" : words(node.state));
}

function setAttributes(element, values) {
  for (const [name, value] of Object.entries(values)) {
    if (value === null) element.removeAttribute(name);
    else if (element.getAttribute(name) !== String(value)) element.setAttribute(name, String(value));
  }
}
