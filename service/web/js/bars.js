/** The bars of one row of the timeline: queued, calling a model, working, waiting for children. */

import { colours } from "./theme.js";

const HEIGHTS = { queue: 6, model: 12, work: 8, children: 4 };

export function barColours() {
  return colours("span-queue", "span-model", "span-work", "span-children", "critical", "failed");
}

/** Draw a node's spans. `scale`: `{from, length, now, width, height, ratio}`, seconds and pixels. */
export function drawBars(canvas, node, scale, colour, isCritical) {
  fit(canvas, scale.width, scale.height, scale.ratio);
  const context = canvas.getContext("2d");
  context.setTransform(scale.ratio, 0, 0, scale.ratio, 0, 0);
  context.clearRect(0, 0, scale.width, scale.height);
  const at = (time) => ((time - scale.from) / scale.length) * scale.width;
  for (const kind of ["children", "queue", "work", "model"]) {
    context.fillStyle = colour[`span-${kind}`];
    for (const span of node.spans) {
      if (span.kind !== kind) continue;
      const left = at(span.from);
      const width = Math.max(1, at(span.to ?? scale.now) - left);
      context.fillRect(left, (scale.height - HEIGHTS[kind]) / 2, width, HEIGHTS[kind]);
    }
  }
  const first = node.spans[0];
  if (isCritical && first) {
    const left = at(first.from);
    context.fillStyle = colour.critical;
    context.fillRect(left, scale.height - 5, Math.max(2, at(node.finishedAt ?? scale.now) - left), 2);
  }
}

/** Give a canvas the pixels that it is shown with. */
export function fit(canvas, width, height, ratio) {
  const [across, down] = [Math.max(1, Math.round(width * ratio)), Math.round(height * ratio)];
  if (canvas.width !== across) canvas.width = across;
  if (canvas.height !== down) canvas.height = down;
}
