/** One turn of a node: how its kind was chosen, what the model was shown, and what it wrote. */

import { el, pairs } from "./dom.js";
import { count, duration, percent, words } from "./format.js";

export function turnView(turn, isOpen, place) {
  const { decision } = turn;
  return el("details", { class: "turn", open: isOpen, data: { key: String(place) } },
    el("summary", {},
      el("strong", { text: decision.kind ? words(decision.kind) : "action" }),
      el("span", { class: "muted small num", text:
        `turn ${turn.index} · ${duration(turn.seconds)} · ${count(turn.prompt_tokens)} in, ${count(turn.completion_tokens)} out` }),
      turn.valid ? null : el("span", { class: "chip", text: "not valid" })),
    el("div", {},
      gate(decision),
      labelled("Action", pretty(turn.action)),
      labelled("Prompt", turn.prompt),
      turn.completion === turn.action ? null : labelled("As written", turn.completion),
      pairs([
        ["Cached tokens", count(turn.cached_tokens)],
        ["Finish reason", turn.finish_reason],
        ["Temperature", turn.temperature],
        ["Policy", turn.policy],
        ["Engine", turn.engine],
        ["Generation", turn.generation > 1 ? turn.generation : null],
      ])));
}

function labelled(label, text) {
  return el("div", { class: "block" }, el("h4", { class: "label small", text: label }),
    el("pre", { tabindex: "0", text }));
}

/** JSON indented; a text that is no JSON as it is. */
function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

/** How the gate decided: score against threshold, and the probability of each kind. */
function gate(decision) {
  const { score, threshold, forced, mode, logprobs } = decision;
  if (forced) return el("p", { class: "muted", text: "Only one kind of action was possible." });
  const parts = [];
  if (score !== null && threshold !== null) {
    const side = score >= threshold ? "at or above it: delegate" : "below it: do not delegate";
    parts.push(el("p", { class: "num", text:
      `Delegation score ${score.toFixed(2)}, threshold ${threshold.toFixed(2)} nats; ${side}` }),
    scale(score - threshold));
  } else parts.push(el("p", { class: "num", text: score === null
    ? `Gate ${words(mode)}; the engine gave no score.`
    : `Gate ${words(mode)}; delegation score ${score.toFixed(2)} nats.` }));
  if (logprobs) parts.push(letters(logprobs));
  return el("div", { class: "block" }, el("h4", { class: "label small", text: "Gate" }), ...parts);
}

/** How far the score is from the threshold, which stands in the middle. */
function scale(difference) {
  const at = 0.5 + Math.max(-0.5, Math.min(0.5, difference / 20));
  return el("div", { class: "scale", vars: { "--at": at }, "aria-hidden": "true" },
    el("span", { class: "bar-fill" }), el("span", { class: "zero" }));
}

function letters(logprobs) {
  const kinds = Object.entries(logprobs).map(([kind, value]) => [kind, Math.exp(value)]);
  const sum = kinds.reduce((total, [, weight]) => total + weight, 0) || 1;
  return el("div", { class: "letters" }, kinds.sort((left, right) => right[1] - left[1])
    .flatMap(([kind, weight]) => [
      el("span", { text: words(kind) }),
      el("span", { class: "track", "aria-hidden": "true" }, el("i", { vars: { "--share": weight / sum } })),
      el("span", { class: "num", text: percent(weight / sum) }),
    ]));
}
