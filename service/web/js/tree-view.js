/**
 * The tree with its timeline, in a window: as many rows as are in sight, however many nodes.
 *
 * Focus stays on the tree, and `aria-activedescendant` names the row that is selected, since rows
 * are given other nodes as one scrolls.
 */

import { barColours } from "./bars.js";
import { el } from "./dom.js";
import { duration } from "./format.js";
import { ancestors, collapsedBelow, flatten, inSight, onKey, scrollFor } from "./rows.js";
import { onTheme } from "./theme.js";
import { axisLength, criticalPath, ticks } from "./timeline.js";
import { FINAL } from "./tree-model.js";
import { TreeRow } from "./tree-row.js";

const ROW_HEIGHT = 28;
const CRITICAL_EVERY_MS = 250;

export class TreeView {
  /** `onOpen(path)`: a person wants to see a node. `onChange()`: draw again, please. */
  constructor({ onOpen, onChange }) {
    this.onOpen = onOpen;
    this.onChange = onChange;
    this.collapsed = new Set();
    this.selected = "0";
    this.critical = new Set(["0"]);
    this.rows = [];
    this.pool = [];
    this.shape = -1;
    this.criticalAt = -Infinity;
    this.colour = barColours();
    this.axis = el("span", { class: "axis", "aria-hidden": "true" });
    this.head = el("div", { class: "tree-head", "aria-hidden": "true" },
      el("span", { text: "Node" }), el("span", { class: "right tokens", text: "Tokens" }),
      el("span", { class: "right cost", text: "Cost" }), this.axis);
    this.space = el("div", { class: "tree-space", role: "presentation" });
    this.element = el("div", { class: "tree", role: "tree", tabindex: "0",
      "aria-label": "Nodes of this solve" }, this.space);
    this.element.addEventListener("scroll", onChange, { passive: true });
    this.element.addEventListener("keydown", (event) => this.#onKey(event));
    this.element.addEventListener("click", (event) => this.#onClick(event));
    new ResizeObserver(onChange).observe(this.element);
    onTheme(() => {
      this.colour = barColours();
      this.drawnAxis = "";
      onChange();
    });
  }

  /** Draw `model` as it is at `now`, in seconds on the store's clock. */
  draw(model, now) {
    this.model = model;
    if (this.shape !== model.shape) this.#layOut();
    const finished = FINAL.has(model.status);
    if (finished !== this.finished || performance.now() - this.criticalAt > CRITICAL_EVERY_MS) {
      this.critical = criticalPath(model);
      this.criticalAt = performance.now();
      this.finished = finished;
    }
    const { clientHeight, clientWidth, offsetWidth, scrollTop } = this.element;
    const from = model.startedAt ?? now;
    const length = axisLength(now - from, finished);
    const width = this.axis.clientWidth;
    this.#drawAxis(length, width, offsetWidth - clientWidth);
    const view = {
      now, critical: this.critical, collapsed: this.collapsed, selected: this.selected,
      colour: this.colour, rowHeight: ROW_HEIGHT, stamp: this.drawnAxis,
      scale: { from, length, now, width, height: ROW_HEIGHT, ratio: devicePixelRatio },
    };
    const [first, end] = inSight(scrollTop, clientHeight, ROW_HEIGHT, this.rows.length);
    while (this.pool.length < end - first) this.#addRow();
    let active = null;
    this.pool.forEach((row, place) => {
      // A row keeps its place while one scrolls: it is the one of index `place` modulo the pool.
      const index = first + ((place - first) % this.pool.length + this.pool.length) % this.pool.length;
      row.element.hidden = index >= end;
      if (index >= end) return;
      row.show(this.rows[index], index, view);
      if (this.rows[index].path === this.selected) active = row.element.id;
    });
    if (active) this.element.setAttribute("aria-activedescendant", active);
    else this.element.removeAttribute("aria-activedescendant");
  }

  /** Select a node, open what is above it, and bring it into sight. */
  select(path) {
    for (const above of ancestors(path)) this.collapsed.delete(above);
    this.selected = path;
    this.#layOut();
    const index = this.rows.findIndex((node) => node.path === path);
    if (index >= 0) this.#show(index);
    this.onChange();
  }

  /** Show levels 0 to `depth`; Infinity shows all. */
  showDepth(depth) {
    this.collapsed = Number.isFinite(depth) ? collapsedBelow(this.model.root, depth) : new Set();
    this.#layOut();
    this.onChange();
  }

  #layOut() {
    this.rows = flatten(this.model.root, this.collapsed);
    this.shape = this.model.shape;
    this.space.style.height = `${this.rows.length * ROW_HEIGHT}px`;
  }

  #addRow() {
    const row = new TreeRow();
    this.pool.push(row);
    this.space.append(row.element);
  }

  #show(index) {
    const { scrollTop, clientHeight } = this.element;
    this.element.scrollTop = scrollFor(index, scrollTop, clientHeight, ROW_HEIGHT);
  }

  #drawAxis(length, width, scrollbar) {
    const what = `${length}|${width}|${devicePixelRatio}|${this.colour["span-model"]}`;
    if (what === this.drawnAxis) return;
    this.drawnAxis = what;
    this.head.style.setProperty("--scrollbar", `${scrollbar}px`);
    this.axis.replaceChildren(...ticks(length, Math.max(2, width / 80)).map((at) =>
      el("span", { text: at === 0 ? "0" : duration(at), vars: { "--at": at / length } })));
  }

  #toggle(path) {
    if (!this.collapsed.delete(path)) this.collapsed.add(path);
    this.#layOut();
    this.onChange();
  }

  #onClick(event) {
    const row = event.target.closest(".tree-row");
    if (!row) return;
    if (event.target.closest(".twisty")) {
      this.#toggle(row.dataset.path);
      return;
    }
    this.select(row.dataset.path);
    this.onOpen(row.dataset.path);
  }

  #onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      this.onOpen(this.selected);
      return;
    }
    const index = Math.max(0, this.rows.findIndex((node) => node.path === this.selected));
    const page = Math.floor(this.element.clientHeight / ROW_HEIGHT) - 1;
    const move = onKey(event.key, index, this.rows, this.collapsed, page);
    if (!move) return;
    event.preventDefault();
    if (move.open || move.close) this.#toggle(move.open ?? move.close);
    else if (move.row >= 0) {
      this.selected = this.rows[move.row].path;
      this.#show(move.row);
      this.onChange();
    }
  }
}
