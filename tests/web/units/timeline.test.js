import { axisLength, criticalPath, secondsByKind, ticks } from "/assets/js/timeline.js";
import { TreeModel } from "/assets/js/tree-model.js";
import { equal, test } from "./check.js";
import { event, twoChildren } from "./events.js";

function grown(events) {
  const model = new TreeModel();
  for (const one of events) model.apply(one);
  return model;
}

test("the critical path goes through the child that ended last", () => {
  equal([...criticalPath(grown(twoChildren()))], ["0", "0.1"]);
});

test("a child that has not ended is the last", () => {
  const events = [...twoChildren().slice(0, 8)];
  equal([...criticalPath(grown(events))], ["0", "0.1"]);
});

test("of every round of children one is critical", () => {
  const events = [...twoChildren().slice(0, 11), event("node.spawned", 11, { node: "0", children: 1 })];
  equal([...criticalPath(grown(events))].sort(), ["0", "0.1", "0.2"]);
});

test("time is told by kind, and open spans go on until now", () => {
  const { root } = grown(twoChildren().slice(0, 4));
  equal(secondsByKind(root.spans, 7), { queue: 1, model: 2, work: 0, children: 4 });
});

test("an axis of a tree that grows is longer than it, and keeps its length for a while", () => {
  equal(axisLength(7.2, true), 7.2);
  equal(axisLength(7.1, false), axisLength(7.0, false));
  equal(axisLength(7.2, false) >= 7.2, true);
});

test("ticks are round numbers within the axis", () => {
  equal(ticks(4.2, 4), [0, 2, 4]);
  equal(ticks(0.09, 3), [0, 0.05]);
});
