/**
 * The tree of a solve, from its events alone. Pure: no document, no clock, no network.
 *
 * Feed it events in order. Children appear, queued, when their parent spawns them. Every node keeps
 * the sums of its subtree, so that nothing has to be added up while drawing. Times are seconds on the
 * store's clock; a span that is still open has `to: null`.
 */

export const STATES = ["ok", "running", "waiting", "queued", "over_budget", "failed", "cancelled"];
export const ENDED = new Set(["ok", "over_budget", "failed", "cancelled"]);
export const FINAL = new Set(["completed", "partial", "failed", "cancelled"]);

const OUTCOMES = { ok: "ok", failed: "failed", cancelled: "cancelled", over_budget: "over_budget" };

function emptySums() {
  return { nodes: 0, turns: 0, tokens: 0, promptTokens: 0, completionTokens: 0, costUsd: 0, modelS: 0,
    states: Object.fromEntries(STATES.map((state) => [state, 0])) };
}

/** One node: its state, what it did, and when it was queued, calling a model or waiting. */
class TreeNode {
  constructor(path, parent, index, at) {
    this.path = path;
    this.parent = parent;
    this.index = index;
    this.depth = parent ? parent.depth + 1 : 0;
    this.children = [];
    this.rounds = [];
    this.openChildren = 0;
    this.state = "queued";
    this.kind = null;
    this.forced = false;
    this.score = null;
    this.policy = null;
    this.worker = null;
    /** What its parent asked of all of its children, where it said it once for all. */
    this.goal = "";
    this.numTurns = 0;
    this.numRequeues = 0;
    this.queuedAt = at;
    this.finishedAt = null;
    this.spans = [];
    this.own = emptySums();
    this.sub = emptySums();
    /** Counts up whenever the node or anything below it has changed. */
    this.stamp = 0;
  }

  get ended() {
    return ENDED.has(this.state);
  }

  openSpan(kind, at) {
    this.closeSpans(at);
    this.spans.push({ kind, from: at, to: null });
  }

  closeSpans(at) {
    const last = this.spans.at(-1);
    if (last && last.to === null) last.to = Math.max(last.from, at);
  }
}

export class TreeModel {
  constructor() {
    this.nodes = new Map();
    this.status = "queued";
    this.answer = "";
    this.startedAt = null;
    this.lastAt = null;
    this.lastSeq = 0;
    this.generation = 1;
    this.maxDepth = 0;
    /** Counts up whenever nodes are added: rows must then be laid out again. */
    this.shape = 0;
    /** Counts up with every event. */
    this.changes = 0;
    this.root = this.#add("0", null, 0, null);
  }

  /** Take one event into account; types that it does not know change nothing. */
  apply(event) {
    const { type, data, at } = event;
    this.changes += 1;
    if (typeof event.seq === "number") this.lastSeq = event.seq;
    if (typeof at === "number") {
      this.startedAt ??= at;
      this.lastAt = Math.max(this.lastAt ?? at, at);
    }
    if (type === "tree.admitted") this.#admit(at);
    else if (type === "tree.finished") this.status = data.status;
    else if (type === "tree.resumed") this.#resume(data, at);
    else if (type === "answer.delta") this.#write(data);
    else if (typeof data?.node === "string") this.#applyToNode(this.#node(data.node, at), event);
  }

  /** The node of a path, or undefined. */
  get(path) {
    return this.nodes.get(path);
  }

  #add(path, parent, index, at) {
    const node = new TreeNode(path, parent, index, at);
    this.nodes.set(path, node);
    this.shape += 1;
    this.maxDepth = Math.max(this.maxDepth, node.depth);
    if (parent) parent.children[index] = node;
    for (let above = node; above; above = above.parent) {
      above.sub.nodes += 1;
      above.sub.states.queued += 1;
      above.stamp += 1;
    }
    if (at !== null) node.openSpan("queue", at);
    return node;
  }

  /** The node of a path; made with its ancestors where an event names one that nobody spawned. */
  #node(path, at) {
    const known = this.nodes.get(path);
    if (known) return known;
    const cut = path.lastIndexOf(".");
    if (cut < 0) return this.root;
    const parent = this.#node(path.slice(0, cut), at);
    return this.#add(path, parent, Number(path.slice(cut + 1)), at);
  }

  #setState(node, state) {
    if (node.state === state) return;
    for (let above = node; above; above = above.parent) {
      above.sub.states[node.state] -= 1;
      above.sub.states[state] += 1;
      above.stamp += 1;
    }
    node.state = state;
  }

  #admit(at) {
    this.root.queuedAt = at;
    this.root.openSpan("queue", at);
  }

  #applyToNode(node, { type, data, at }) {
    if (type === "node.claimed") {
      node.openSpan("work", at);
      node.worker = data.worker ?? null;
      this.status = "running";
      this.#setState(node, "running");
    } else if (type === "node.turn") this.#turn(node, data, at);
    else if (type === "node.spawned") this.#spawn(node, data, at);
    else if (type === "node.finished") this.#finish(node, data, at);
    else if (type === "node.requeued") {
      node.numRequeues += 1;
      node.openSpan("queue", at);
      this.#setState(node, "queued");
    }
  }

  #turn(node, data, at) {
    const seconds = data.seconds ?? 0;
    const last = node.spans.at(-1);
    const from = Math.max(at - seconds, last ? last.from : at - seconds);
    node.closeSpans(from);
    node.spans.push({ kind: "model", from, to: at });
    node.openSpan("work", at);
    node.numTurns += 1;
    node.kind = data.kind ?? node.kind;
    node.forced = data.forced ?? node.forced;
    node.score = data.score ?? node.score;
    node.policy = data.policy ?? node.policy;
    const prompt = data.prompt_tokens ?? 0;
    const completion = data.completion_tokens ?? 0;
    const cost = data.cost_usd ?? 0;
    addTo(node.own, prompt, completion, cost, seconds);
    for (let above = node; above; above = above.parent) {
      addTo(above.sub, prompt, completion, cost, seconds);
      above.stamp += 1;
    }
  }

  #spawn(node, data, at) {
    const first = node.children.length;
    const count = data.children ?? 0;
    node.openSpan("children", at);
    node.rounds.push([first, count]);
    node.openChildren += count;
    for (let index = first; index < first + count; index += 1) {
      this.#add(`${node.path}.${index}`, node, index, at).goal = data.goal ?? "";
    }
    this.#setState(node, "waiting");
  }

  #finish(node, data, at) {
    if (node.ended) return;
    node.closeSpans(at);
    node.finishedAt = at;
    this.#setState(node, OUTCOMES[data.status] ?? "failed");
    const above = node.parent;
    if (!above) return;
    above.openChildren = Math.max(0, above.openChildren - 1);
    // The store wakes a parent with its last child, and has no event for it.
    if (above.openChildren === 0 && above.state === "waiting") {
      above.openSpan("queue", at);
      this.#setState(above, "queued");
    }
  }

  /** Incomplete nodes run again: those that did not end well, and all that stand above them. */
  #resume(data, at) {
    this.status = "queued";
    this.generation = data.generation ?? this.generation + 1;
    const reopen = (node) => {
      const again = node.children.filter((child) => child && !this.#isComplete(child));
      node.finishedAt = null;
      node.openChildren = again.length;
      node.openSpan(again.length ? "children" : "queue", at);
      this.#setState(node, again.length ? "waiting" : "queued");
      again.forEach(reopen);
    };
    if (!this.#isComplete(this.root)) reopen(this.root);
  }

  #isComplete(node) {
    return node.sub.states.ok === node.sub.nodes;
  }

  /** A turn that runs again begins at offset 0: what it had written before is replaced. */
  #write(data) {
    if (typeof data.text !== "string") return;
    const offset = data.offset ?? this.answer.length;
    this.answer = sliceCodePoints(this.answer, offset) + data.text;
  }
}

function addTo(sums, prompt, completion, cost, seconds) {
  sums.turns += 1;
  sums.promptTokens += prompt;
  sums.completionTokens += completion;
  sums.tokens += prompt + completion;
  sums.costUsd += cost;
  sums.modelS += seconds;
}

/** The first `count` code points of `text`; offsets of the service count these, not UTF-16 units. */
function sliceCodePoints(text, count) {
  if (count >= text.length) return text;
  let units = 0;
  for (let points = 0; points < count && units < text.length; points += 1) {
    units += text.codePointAt(units) > 0xffff ? 2 : 1;
  }
  return text.slice(0, units);
}
