import { TreeModel } from "/assets/js/tree-model.js";
import { equal, test } from "./check.js";
import { event, twoChildren } from "./events.js";

function grown(events) {
  const model = new TreeModel();
  for (const one of events) model.apply(one);
  return model;
}

test("children appear queued when their parent spawns them", () => {
  const model = grown(twoChildren().slice(0, 4));
  equal([...model.nodes.keys()], ["0", "0.0", "0.1"]);
  equal([model.root.state, model.get("0.0").state, model.get("0.1").goal], ["waiting", "queued", "a part"]);
});

test("a subtree's tokens and cost are the sums of its nodes", () => {
  const { sub, own } = grown(twoChildren()).root;
  equal([sub.tokens, sub.costUsd, sub.turns, sub.modelS], [111, 1, 4, 10]);
  equal([own.promptTokens, own.completionTokens, own.costUsd], [50, 8, 0.5]);
});

test("the states of a subtree always add up to its nodes", () => {
  const model = new TreeModel();
  for (const one of twoChildren()) {
    model.apply(one);
    const { states, nodes } = model.root.sub;
    equal(Object.values(states).reduce((sum, number) => sum + number, 0), nodes);
  }
});

test("spans follow one another without gap or overlap", () => {
  const { spans } = grown(twoChildren()).root;
  equal(spans.filter(({ from, to }) => to > from).map(({ kind, from, to }) => [kind, from, to]),
    [["queue", 0, 1], ["model", 1, 3], ["children", 3, 9], ["queue", 9, 10], ["model", 10, 12]]);
  spans.slice(1).forEach((span, index) => equal(span.from, spans[index].to));
});

test("the last child makes its parent queued again", () => {
  const model = grown(twoChildren().slice(0, 10));
  equal(model.root.state, "queued");
});

test("a node that lost its worker is queued again and counts it", () => {
  const model = grown([...twoChildren().slice(0, 5), event("node.requeued", 7, { node: "0.0", reason: "lease_expired" })]);
  const node = model.get("0.0");
  equal([node.state, node.numRequeues, node.spans.at(-1)], ["queued", 1, { kind: "queue", from: 7, to: null }]);
});

test("resuming opens what did not end well and all above it, and nothing else", () => {
  const events = twoChildren();
  events[9] = event("node.finished", 9, { node: "0.1", status: "failed" });
  const model = grown([...events, event("tree.resumed", 20, { generation: 2 })]);
  equal([model.generation, model.status], [2, "queued"]);
  equal(["0", "0.0", "0.1"].map((path) => model.get(path).state), ["waiting", "ok", "queued"]);
});

test("a resumed node that ends again wakes its parent", () => {
  const events = twoChildren();
  events[9] = event("node.finished", 9, { node: "0.1", status: "failed" });
  const model = grown([...events, event("tree.resumed", 20, { generation: 2 }),
    event("node.claimed", 21, { node: "0.1", worker: "w" }), event("node.finished", 22, { node: "0.1", status: "ok" })]);
  equal(model.root.state, "queued");
});

test("a piece of the answer replaces what stood behind its offset, in code points", () => {
  const model = grown([
    event("answer.delta", 1, { node: "0", text: "🌳🌳 old", offset: 0 }),
    event("answer.delta", 2, { node: "0", text: "!", offset: 2 }),
  ]);
  equal(model.answer, "🌳🌳!");
});

test("events that are not known change no node", () => {
  const model = grown([...twoChildren().slice(0, 4), event("node.dreamt", 5, { node: "0" }), event("x", 6)]);
  equal(model.root.state, "waiting");
});

test("a node is stamped anew when it or anything below it changes, and no other node is", () => {
  const model = new TreeModel();
  model.apply(event("tree.admitted", 0));
  model.apply(event("node.spawned", 1, { node: "0", children: 2 }));
  const [root, changed, other] = ["0", "0.0", "0.1"].map((path) => model.get(path));
  const before = [root, changed, other].map((node) => node.stamp);
  model.apply(event("node.claimed", 2, { node: "0.0", worker: "w" }));
  model.apply(event("node.turn", 3, { node: "0.0", prompt_tokens: 5, completion_tokens: 1 }));
  equal([root, changed, other].map((node, index) => node.stamp > before[index]), [true, true, false]);
});
