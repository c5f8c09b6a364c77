/** The whole tree at a glance, coloured by state: an icicle that leads to a node when clicked. */

import { fit } from "./bars.js";
import { el } from "./dom.js";
import { words } from "./format.js";
import { boxAt, byState, icicle } from "./overview-layout.js";
import { colours, onTheme } from "./theme.js";
import { STATES } from "./tree-model.js";

const HEIGHT = 76;
const MAX_LEVEL = 15;
const EVERY_MS = 80;
const EVERY_MS_LARGE = 250;
const LARGE = 1000;

export class Overview {
  /** `onPick(path)`: a person has pointed at a node. */
  constructor({ onPick, onChange }) {
    this.boxes = [];
    this.shape = -1;
    this.drawn = "";
    this.drawnAt = -Infinity;
    this.colour = null;
    // Everything it shows is in the tree below, which can be read and walked through by keys.
    this.element = el("canvas", { class: "overview", "aria-hidden": "true" });
    this.element.addEventListener("click", (event) => {
      const box = this.#at(event);
      if (box) onPick(box.node.path);
    });
    this.element.addEventListener("pointermove", (event) => {
      const box = this.#at(event);
      this.element.title = box ? `${box.node.path}, ${words(box.node.state)}` : "";
    });
    onTheme(() => {
      this.colour = null;
      this.drawn = "";
      onChange();
    });
  }

  /** Draw the tree; not at every frame, since all of it is drawn. True: there is more to draw. */
  draw(model, selected) {
    const width = this.element.clientWidth;
    const what = `${model.changes}|${selected}|${width}`;
    if (what === this.drawn || width === 0) return false;
    const pause = model.nodes.size > LARGE ? EVERY_MS_LARGE : EVERY_MS;
    if (performance.now() - this.drawnAt < pause) return true;
    this.drawn = what;
    this.drawnAt = performance.now();
    if (this.shape !== model.shape) {
      this.boxes = icicle(model.root);
      this.shape = model.shape;
    }
    this.colour ??= colours(...STATES, "text", "surface");
    this.#paint(width, selected);
    return false;
  }

  #paint(width, selected) {
    const ratio = devicePixelRatio;
    fit(this.element, width, HEIGHT, ratio);
    const context = this.element.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, HEIGHT);
    const level = this.#level();
    const chosen = this.boxes.find((box) => box.node.path === selected);
    for (const [state, boxes] of byState(this.boxes, width * ratio)) {
      context.fillStyle = this.colour[state];
      for (const box of boxes) {
        const gap = box.width * width > 3 ? 1 : 0;
        context.fillRect(box.x * width, box.depth * level, box.width * width - gap, level - 1);
      }
    }
    if (chosen) {
      context.strokeStyle = this.colour.text;
      context.lineWidth = 2;
      const across = Math.max(4, chosen.width * width - 2);
      context.strokeRect(chosen.x * width + 1, chosen.depth * level + 1, across, level - 3);
    }
  }

  #level() {
    const deepest = this.boxes.reduce((most, box) => Math.max(most, box.depth), 0);
    return Math.min(MAX_LEVEL, HEIGHT / (deepest + 1));
  }

  #at(event) {
    if (!this.boxes.length) return null;
    const depth = Math.floor(event.offsetY / this.#level());
    return boxAt(this.boxes, event.offsetX / this.element.clientWidth, depth);
  }
}
