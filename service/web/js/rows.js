/** Rows of a tree: which nodes are shown, and which rows of them are in sight. Pure. */

/** The nodes that are shown, from the top: children of collapsed nodes are left out. */
export function flatten(root, collapsed) {
  const rows = [];
  const waiting = [root];
  while (waiting.length) {
    const node = waiting.pop();
    rows.push(node);
    if (collapsed.has(node.path)) continue;
    for (let index = node.children.length - 1; index >= 0; index -= 1) {
      if (node.children[index]) waiting.push(node.children[index]);
    }
  }
  return rows;
}

/** The half-open range of rows in sight, with `spare` more on both sides. */
export function inSight(scrollTop, height, rowHeight, count, spare = 6) {
  const first = Math.max(0, Math.floor(scrollTop / rowHeight) - spare);
  const last = Math.min(count, Math.ceil((scrollTop + height) / rowHeight) + spare);
  return [Math.min(first, count), Math.max(last, 0)];
}

/** Where to scroll so that row `index` is wholly in sight, as little as possible. */
export function scrollFor(index, scrollTop, height, rowHeight) {
  const top = index * rowHeight;
  if (top < scrollTop) return top;
  if (top + rowHeight > scrollTop + height) return top + rowHeight - height;
  return scrollTop;
}

/** The paths to collapse so that nodes of depth 0 to `depth` are shown and none below. */
export function collapsedBelow(root, depth) {
  const collapsed = new Set();
  for (const node of flatten(root, new Set())) {
    if (node.depth >= depth && node.children.length) collapsed.add(node.path);
  }
  return collapsed;
}

/** The paths above `path`, from the root: what must be open for it to be shown. */
export function ancestors(path) {
  const parts = path.split(".");
  return parts.slice(0, -1).map((_, index) => parts.slice(0, index + 1).join("."));
}

/**
 * The row that a key leads to, as in every tree widget, and what becomes of the node.
 * `open`, `close`: a path to expand or collapse; `row`: the index to go to.
 */
export function onKey(key, index, rows, collapsed, pageSize) {
  const node = rows[index];
  const isOpen = node.children.length > 0 && !collapsed.has(node.path);
  const last = rows.length - 1;
  switch (key) {
    case "ArrowDown": return { row: Math.min(last, index + 1) };
    case "ArrowUp": return { row: Math.max(0, index - 1) };
    case "PageDown": return { row: Math.min(last, index + pageSize) };
    case "PageUp": return { row: Math.max(0, index - pageSize) };
    case "Home": return { row: 0 };
    case "End": return { row: last };
    case "ArrowRight":
      if (isOpen) return { row: index + 1 };
      return node.children.length ? { row: index, open: node.path } : { row: index };
    case "ArrowLeft":
      if (isOpen) return { row: index, close: node.path };
      return { row: node.parent ? rows.indexOf(node.parent) : index };
    default: return null;
  }
}
