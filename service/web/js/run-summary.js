/** What two runs are compared by: sums of a result, and of a tree by depth and action. Pure. */

/** `{key, label, value, unit, better}` of a result; `better` is "less", "more" or null. */
export function metrics(result) {
  const { usage, timing, coverage } = result;
  return [
    metric("wall_s", "Wall time", timing.wall_s, "s", "less"),
    metric("critical_path_s", "Critical path", timing.critical_path_s, "s", "less"),
    metric("sequential_s", "Model time in sequence", timing.sequential_s, "s", "less"),
    metric("speed_up", "Speed-up over sequence", timing.speed_up, "×", "more"),
    metric("nodes", "Nodes", usage.nodes, "", null),
    metric("max_depth", "Depth", usage.max_depth, "", null),
    metric("llm_calls", "Model calls", usage.llm_calls, "", "less"),
    metric("prompt_tokens", "Prompt tokens", usage.prompt_tokens, "", "less"),
    metric("cached_tokens", "of these cached", usage.cached_tokens, "", "more"),
    metric("completion_tokens", "Completion tokens", usage.completion_tokens, "", "less"),
    metric("cost_usd", "Cost", usage.cost_usd, "$", "less"),
    metric("retries", "Actions written again", usage.retries, "", "less"),
    metric("coverage", "Input that was read", coverage?.share ?? null, "%", "more"),
    metric("citations", "Citations", result.citations.length, "", null),
  ];
}

function metric(key, label, value, unit, better) {
  return { key, label, value: value ?? null, unit, better };
}

/** How `right` differs from `left`: relative change, and whether that is better, worse or neither. */
export function change(left, right, better) {
  if (left === null || right === null || left === right) return { relative: null, verdict: "same" };
  const relative = left === 0 ? null : (right - left) / Math.abs(left);
  if (better === null) return { relative, verdict: "other" };
  return { relative, verdict: right < left === (better === "less") ? "better" : "worse" };
}

/** Sums of a tree's nodes by depth: `{depth, nodes, tokens, costUsd, modelS, ended, bad}`. */
export function byDepth(model) {
  const levels = [];
  for (const node of model.nodes.values()) {
    levels[node.depth] ??= {
      depth: node.depth, nodes: 0, tokens: 0, costUsd: 0, modelS: 0, ok: 0, bad: 0,
    };
    const level = levels[node.depth];
    level.nodes += 1;
    level.tokens += node.own.tokens;
    level.costUsd += node.own.costUsd;
    level.modelS += node.own.modelS;
    if (node.state === "ok") level.ok += 1;
    else if (node.ended) level.bad += 1;
  }
  return levels;
}
