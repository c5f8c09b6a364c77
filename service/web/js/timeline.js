/** Times of a tree: its critical path, where its time went, and the ticks of a time axis. Pure. */

/**
 * Paths of the nodes that the solve had to wait for: at the root and below, of every round of
 * children the one that ended last. One that has not ended yet counts as the last.
 */
export function criticalPath(model) {
  const critical = new Set();
  const waiting = [model.root];
  while (waiting.length) {
    const node = waiting.pop();
    critical.add(node.path);
    for (const [first, count] of node.rounds) {
      const last = lastToEnd(node.children.slice(first, first + count));
      if (last) waiting.push(last);
    }
  }
  return critical;
}

function lastToEnd(children) {
  let last = null;
  for (const child of children) {
    if (!child) continue;
    if (!last || (child.finishedAt ?? Infinity) > (last.finishedAt ?? Infinity)) last = child;
  }
  return last;
}

/** Seconds of each kind in a node's spans; those that are open go on until `now`. */
export function secondsByKind(spans, now) {
  const sums = { queue: 0, model: 0, work: 0, children: 0 };
  for (const { kind, from, to } of spans) sums[kind] += Math.max(0, (to ?? now) - from);
  return sums;
}

/**
 * The length of an axis for `seconds`, in steps, so that a tree that grows is not redrawn to a new
 * scale at every moment.
 */
export function axisLength(seconds, finished) {
  if (finished) return Math.max(seconds, 1e-3);
  let length = 1;
  while (length < seconds * 1.02) length *= 1.5;
  return length;
}

/** Positions of about `count` ticks on an axis of `length` seconds, at round numbers. */
export function ticks(length, count) {
  const rough = length / Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough);
  const found = [];
  for (let index = 0; index * step < length; index += 1) found.push(round(index * step, power));
  return found;
}

function round(value, power) {
  const digits = Math.max(0, -Math.floor(Math.log10(power)));
  return Number(value.toFixed(digits));
}
