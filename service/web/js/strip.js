/** The strip beside a document: all of it from top to bottom, what was read, cited, and is shown. */

import { fit } from "./bars.js";
import { el } from "./dom.js";
import { count } from "./format.js";
import { colours, onTheme } from "./theme.js";

const WIDTH = 18;

export class Strip {
  /** `onPick(position)`: a person wants to read from this code point on. */
  constructor({ onPick }) {
    this.element = el("canvas", { class: "strip", role: "slider", tabindex: "0",
      "aria-label": "Place in the document", "aria-orientation": "vertical", "aria-valuemin": "0" });
    this.element.addEventListener("click", (event) => {
      onPick(Math.round((event.offsetY / this.element.clientHeight) * this.length));
    });
    this.element.addEventListener("keydown", (event) => {
      const step = { ArrowDown: 0.02, ArrowUp: -0.02, PageDown: 0.1, PageUp: -0.1, Home: -1, End: 1 }[event.key];
      if (!step) return;
      event.preventDefault();
      onPick(Math.max(0, Math.min(this.length - 1, Math.round(this.shown.start + step * this.length))));
    });
    new ResizeObserver(() => this.#paint()).observe(this.element);
    onTheme(() => this.#paint());
  }

  /** `length` code points, of which `missing` were not read; null where that is not known yet. */
  draw({ length, missing, cited, here, shown }) {
    Object.assign(this, { length, missing, cited, here, shown });
    this.element.setAttribute("aria-valuemax", String(length));
    this.element.setAttribute("aria-valuenow", String(shown.start));
    this.element.setAttribute("aria-valuetext", `${count(shown.start)} of ${count(length)} characters`);
    this.#paint();
  }

  #paint() {
    const height = this.element.clientHeight;
    if (!this.length || !height) return;
    const ratio = devicePixelRatio;
    const colour = colours("accent", "surface-2", "line-strong", "mark-strong", "critical", "text");
    fit(this.element, WIDTH, height, ratio);
    const context = this.element.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    const fill = (span, style, left, width, least = 1) => {
      const top = (span.start / this.length) * height;
      context.fillStyle = style;
      context.fillRect(left, top, width, Math.max(least, (span.end / this.length) * height - top));
    };
    fill({ start: 0, end: this.length }, this.missing ? colour.accent : colour["line-strong"], 0, WIDTH);
    for (const span of this.missing ?? []) fill(span, colour["surface-2"], 0, WIDTH);
    for (const span of this.cited) fill(span, colour["mark-strong"], 4, WIDTH - 8, 2);
    if (this.here) fill(this.here, colour.critical, 0, WIDTH, 3);
    context.strokeStyle = colour.text;
    context.lineWidth = 2;
    const top = (this.shown.start / this.length) * height;
    const tall = Math.max(4, ((this.shown.end - this.shown.start) / this.length) * height);
    context.strokeRect(1, Math.min(top + 1, height - 5), WIDTH - 2, tall - 2);
  }
}
