/** The whole tree as an icicle: a box for every node, its children below it. Pure. */

/** Boxes `{node, x, width, depth}`, x and width in [0, 1]. A node is as wide as its leaves. */
export function icicle(root) {
  const leaves = countLeaves(root);
  const boxes = [];
  const waiting = [{ node: root, x: 0, width: 1, depth: 0 }];
  while (waiting.length) {
    const box = waiting.pop();
    boxes.push(box);
    let x = box.x;
    for (const child of box.node.children) {
      if (!child) continue;
      const width = (box.width * leaves.get(child)) / leaves.get(box.node);
      waiting.push({ node: child, x, width, depth: box.depth + 1 });
      x += width;
    }
  }
  return boxes;
}

function countLeaves(root) {
  const order = [root];
  for (let index = 0; index < order.length; index += 1) {
    for (const child of order[index].children) if (child) order.push(child);
  }
  const leaves = new Map();
  for (const node of order.reverse()) {
    let sum = 0;
    for (const child of node.children) if (child) sum += leaves.get(child);
    leaves.set(node, Math.max(1, sum));
  }
  return leaves;
}

/**
 * Boxes by the state of their node, in `across` pixels: of boxes of one state that are narrower than a
 * pixel and begin in the same one, the first stands for all.
 */
export function byState(boxes, across) {
  const found = new Map();
  const taken = new Set();
  for (const box of boxes) {
    const { state } = box.node;
    if (box.width * across < 1) {
      const place = `${state}|${box.depth}|${Math.floor(box.x * across)}`;
      if (taken.has(place)) continue;
      taken.add(place);
    }
    if (!found.has(state)) found.set(state, []);
    found.get(state).push(box);
  }
  return found;
}

/** The deepest box at a place of the drawing that is not below `depth`, or null. */
export function boxAt(boxes, x, depth) {
  let found = null;
  for (const box of boxes) {
    if (box.depth > depth || x < box.x || x >= box.x + box.width) continue;
    if (!found || box.depth > found.depth) found = box;
  }
  return found;
}
