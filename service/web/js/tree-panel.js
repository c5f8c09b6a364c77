/** The panel of the tree: its tools, the overview, the rows, and what the colours mean. */

import { announce, el } from "./dom.js";
import { Overview } from "./overview.js";
import { TreeView } from "./tree-view.js";

const LEVELS = [["1", "1 level"], ["2", "2 levels"], ["3", "3 levels"], ["Infinity", "All levels"]];

export class TreePanel {
  /** `onOpen(path)`: show a node. `onChange()`: draw again. */
  constructor({ onOpen, onChange }) {
    this.view = new TreeView({ onOpen, onChange });
    this.overview = new Overview({ onChange, onPick: (path) => {
      this.view.select(path);
      onOpen(path);
    } });
    const depth = el("select", { class: "input", "aria-label": "Levels shown" },
      LEVELS.map(([value, text]) => el("option", { value, text, selected: value === "Infinity" })));
    depth.addEventListener("change", () => this.view.showDepth(Number(depth.value)));
    this.find = el("input", { class: "input", type: "search", placeholder: "Path, like 0.3",
      "aria-label": "Go to the node of this path" });
    this.find.addEventListener("keydown", (event) => {
      if (event.key === "Enter") this.#find(onOpen);
    });
    const time = el("button", { class: "button time-toggle", type: "button", text: "Timeline",
      "aria-pressed": "false" });
    time.addEventListener("click", () => {
      const on = this.element.classList.toggle("show-time");
      time.setAttribute("aria-pressed", String(on));
      onChange();
    });
    this.element = el("section", { class: "panel tree-panel no-cost", "aria-labelledby": "tree-title" },
      el("div", { class: "panel-head" }, el("h2", { id: "tree-title", text: "Tree" }),
        el("div", { class: "tree-tools" }, time, this.find, depth)),
      this.overview.element, this.view.head, this.view.element, legend());
  }

  /** Draw. True: the overview has more to draw at a later frame. */
  draw(model, now) {
    this.element.classList.toggle("no-cost", model.root.sub.costUsd === 0);
    this.view.draw(model, now);
    return this.overview.draw(model, this.view.selected);
  }

  /** Go to the next node behind the selected one that is in `state`, in the order of rows. */
  next(model, state) {
    const paths = [...model.nodes.values()].filter((node) => node.state === state);
    paths.sort((left, right) => comparePaths(left.path, right.path));
    const behind = paths.find((node) => comparePaths(node.path, this.view.selected) > 0);
    const found = behind ?? paths[0];
    if (found) this.view.select(found.path);
    return found?.path ?? null;
  }

  #find(onOpen) {
    const path = this.find.value.trim();
    const isKnown = this.view.model.get(path) !== undefined;
    this.find.setAttribute("aria-invalid", String(!isKnown && path !== ""));
    if (!isKnown) {
      announce(`There is no node ${path}.`);
      return;
    }
    this.view.select(path);
    onOpen(path);
  }
}

/** In the order of rows: a node before what is below it, siblings by number. */
function comparePaths(left, right) {
  const [from, to] = [left.split(".").map(Number), right.split(".").map(Number)];
  for (let level = 0; level < Math.min(from.length, to.length); level += 1) {
    if (from[level] !== to[level]) return from[level] - to[level];
  }
  return from.length - to.length;
}

function legend() {
  const entries = [["span-queue", "queued"], ["span-model", "model call"], ["span-work", "other work"],
    ["span-children", "waiting for children"], ["critical", "critical path"]];
  return el("div", { class: "key-line", "aria-hidden": "true" }, entries.map(([colour, text]) =>
    el("span", {}, el("i", { vars: { "--c": `var(--${colour})` } }), text)));
}
