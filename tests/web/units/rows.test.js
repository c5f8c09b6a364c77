import { boxAt, byState, icicle } from "/assets/js/overview-layout.js";
import { ancestors, collapsedBelow, flatten, inSight, onKey, scrollFor } from "/assets/js/rows.js";
import { TreeModel } from "/assets/js/tree-model.js";
import { equal, test } from "./check.js";
import { event } from "./events.js";

/** 0 with two children, the first of which has three. */
function tree() {
  const model = new TreeModel();
  model.apply(event("tree.admitted", 0));
  model.apply(event("node.spawned", 1, { node: "0", children: 2 }));
  model.apply(event("node.spawned", 2, { node: "0.0", children: 3 }));
  return model.root;
}

const paths = (nodes) => nodes.map((node) => node.path);

test("rows stand in the order of a walk through the tree", () => {
  equal(paths(flatten(tree(), new Set())), ["0", "0.0", "0.0.0", "0.0.1", "0.0.2", "0.1"]);
});

test("what is below a collapsed node is left out", () => {
  equal(paths(flatten(tree(), new Set(["0.0"]))), ["0", "0.0", "0.1"]);
});

test("levels below a depth are collapsed", () => {
  equal([...collapsedBelow(tree(), 1)], ["0.0"]);
  equal([...collapsedBelow(tree(), 0)], ["0", "0.0"]);
});

test("as many rows are in sight as the height has room for, whatever their number", () => {
  equal(inSight(28_000, 280, 28, 100_000, 2), [998, 1012]);
  equal(inSight(0, 280, 28, 3, 6), [0, 3]);
});

test("one scrolls as little as possible", () => {
  equal([scrollFor(0, 100, 280, 28), scrollFor(5, 100, 280, 28), scrollFor(20, 100, 280, 28)], [0, 100, 308]);
});

test("arrows open and close, go down to a child and up to a parent", () => {
  const root = tree();
  const rows = flatten(root, new Set(["0.0"]));
  equal(onKey("ArrowRight", 1, rows, new Set(["0.0"]), 9), { row: 1, open: "0.0" });
  equal(onKey("ArrowLeft", 2, rows, new Set(["0.0"]), 9), { row: 0 });
  const open = flatten(root, new Set());
  equal(onKey("ArrowRight", 1, open, new Set(), 9), { row: 2 });
  equal(onKey("ArrowLeft", 1, open, new Set(), 9), { row: 1, close: "0.0" });
});

test("keys stay within the rows, and others are left alone", () => {
  const rows = flatten(tree(), new Set());
  equal(onKey("ArrowUp", 0, rows, new Set(), 9), { row: 0 });
  equal(onKey("PageDown", 0, rows, new Set(), 99), { row: 5 });
  equal(onKey("a", 0, rows, new Set(), 9), null);
});

test("the ancestors of a path are named from the root", () => {
  equal(ancestors("0.3.1"), ["0", "0.3"]);
  equal(ancestors("0"), []);
});

test("in the overview, siblings share the width of their parent by their leaves", () => {
  const boxes = icicle(tree());
  equal(boxes.map(({ node, x, width }) => [node.path, x, width]).sort(),
    [["0", 0, 1], ["0.0", 0, 0.75], ["0.0.0", 0, 0.25], ["0.0.1", 0.25, 0.25], ["0.0.2", 0.5, 0.25], ["0.1", 0.75, 0.25]]);
  equal(boxAt(boxes, 0.6, 2).node.path, "0.0.2");
  equal(boxAt(boxes, 0.9, 5).node.path, "0.1");
  equal(boxAt(boxes, 1.2, 1), null);
});

test("boxes that share a pixel and a state are drawn once, and no state is hidden by another", () => {
  const box = (x, width, state) => ({ x, width, depth: 1, node: { state } });
  const drawn = byState([box(0, 0.01, "ok"), box(0.01, 0.01, "ok"), box(0.02, 0.01, "failed"), box(0.1, 0.5, "ok")], 10);
  equal([...drawn].map(([state, boxes]) => [state, boxes.map(({ x }) => x)]), [["ok", [0, 0.1]], ["failed", [0.02]]]);
});
