/** Events as the service sends them, made short. */

let seq = 0;

export function event(type, at, data = {}) {
  seq += 1;
  return { type, seq, at, data };
}

/** A root that splits into two; the second child is the slow one. The root then answers. */
export function twoChildren() {
  return [
    event("tree.admitted", 0),
    event("node.claimed", 1, { node: "0", worker: "w", epoch: 1 }),
    event("node.turn", 3, { node: "0", seconds: 2, prompt_tokens: 10, completion_tokens: 5,
      cost_usd: 0.5, kind: "delegate", score: 1.5, policy: "base" }),
    event("node.spawned", 3, { node: "0", children: 2, goal: "a part" }),
    event("node.claimed", 4, { node: "0.0", worker: "w", epoch: 1 }),
    event("node.claimed", 5, { node: "0.1", worker: "w", epoch: 1 }),
    event("node.turn", 6, { node: "0.0", seconds: 2, prompt_tokens: 20, completion_tokens: 1,
      cost_usd: 0.25, kind: "answer" }),
    event("node.finished", 6, { node: "0.0", status: "ok" }),
    event("node.turn", 9, { node: "0.1", seconds: 4, prompt_tokens: 30, completion_tokens: 2,
      cost_usd: 0.25, kind: "answer" }),
    event("node.finished", 9, { node: "0.1", status: "ok" }),
    event("node.claimed", 10, { node: "0", worker: "w", epoch: 2 }),
    event("node.turn", 12, { node: "0", seconds: 2, prompt_tokens: 40, completion_tokens: 3,
      cost_usd: 0, kind: "answer" }),
    event("node.finished", 12, { node: "0", status: "ok" }),
    event("tree.finished", 12, { status: "completed" }),
  ];
}
