/** The head of a solve: what was asked, how it stands, what it has used, and what one can do. */

import { dot, el, setText } from "./dom.js";
import { compact, count, duration, percent, usd, words } from "./format.js";
import { FINAL, STATES } from "./tree-model.js";

const ANIMATED = new Set(["queued", "running"]);
/** Nobody reads numbers faster, and each of them is a piece of text to lay out. */
const EVERY_MS = 100;
const FACTS = [
  ["nodes", "Nodes ended"], ["depth", "Depth"], ["calls", "Turns"], ["tokens", "Tokens"],
  ["cost", "Cost"], ["wall", "Wall time"], ["critical", "Critical path"], ["speed", "Speed-up"],
  ["coverage", "Input read"],
];

export class RunHead {
  /** `onCancel`, `onResume`, `onTrace`; `onState(state)`: go to the next node in this state. */
  constructor({ id, onCancel, onResume, onTrace, onState }) {
    this.title = el("h1", { text: "Loading …" });
    this.chip = el("span", { class: "chip" });
    this.stream = el("span", { hidden: true });
    this.cancel = button("Cancel", onCancel, "button danger");
    this.resume = button("Resume", onResume, "button");
    this.trace = button("Trace", onTrace, "button");
    this.trace.title = "Download for Perfetto or chrome://tracing";
    this.facts = Object.fromEntries(FACTS.map(([key]) => [key, el("dd", { text: "–" })]));
    this.bars = Object.fromEntries(STATES.map((state) => [state, el("span", {
      vars: { "--c": `var(--${state})`, "--share": 0 },
    })]));
    this.counts = Object.fromEntries(STATES.map((state) => [state, el("b", { text: "0" })]));
    this.progress = el("div", { class: "progress", role: "progressbar", "aria-valuemin": "0",
      "aria-label": "Nodes that have ended" }, Object.values(this.bars));
    this.buttons = Object.fromEntries(STATES.map((state) => [state, el("button", {
      class: "button quiet", type: "button", title: `Go to the next node that is ${words(state)}`,
      on: { click: () => onState(state) },
    }, dot(state), words(state), " ", this.counts[state])]));
    this.element = el("header", { class: "run-head" },
      el("div", { class: "run-title" }, this.title,
        el("div", { class: "run-actions" }, this.cancel, this.resume, this.trace,
          el("a", { class: "button", href: `/compare?a=${encodeURIComponent(id)}`, text: "Compare" }))),
      el("div", { class: "run-line" }, this.chip, el("span", { class: "mono", text: id }), this.stream),
      el("dl", { class: "facts" }, FACTS.map(([key, label]) =>
        el("div", {}, el("dt", { text: label }), this.facts[key]))),
      this.progress,
      el("div", { class: "legend", "aria-label": "Nodes by state" }, Object.values(this.buttons)));
    this.drawnAt = -Infinity;
    this.drawnResult = null;
    this.setStatus("queued");
  }

  setGoal(goal) {
    setText(this.title, goal);
    this.title.title = goal;
    document.title = `${goal.slice(0, 60)} · Banyan`;
  }

  setStatus(status) {
    if (status === this.status) return;
    this.status = status;
    this.chip.replaceChildren(dot(status), words(status));
    this.cancel.hidden = !ANIMATED.has(status);
    this.resume.hidden = ANIMATED.has(status) || status === "completed";
    this.trace.hidden = ANIMATED.has(status);
  }

  setStream(state) {
    this.stream.hidden = state !== "reconnecting";
    setText(this.stream, "The connection broke. Trying again …");
  }

  /** What the tree says; `result` is there once the solve has finished. True: there is more to draw. */
  draw(model, now, result) {
    const isDue = result !== this.drawnResult || performance.now() - this.drawnAt >= EVERY_MS;
    if (!isDue) return true;
    [this.drawnAt, this.drawnResult] = [performance.now(), result];
    const { sub } = model.root;
    const ended = sub.states.ok + sub.states.failed + sub.states.cancelled + sub.states.over_budget;
    const isFinal = FINAL.has(model.status);
    const wall = model.startedAt === null ? null : (isFinal ? model.lastAt : now) - model.startedAt;
    const timing = result?.timing;
    const facts = {
      nodes: `${count(ended)} / ${count(sub.nodes)}`,
      depth: String(model.maxDepth),
      calls: count(sub.turns),
      tokens: compact(sub.tokens),
      cost: sub.costUsd ? usd(sub.costUsd) : "–",
      wall: duration(timing?.wall_s ?? wall),
      critical: timing?.critical_path_s ? duration(timing.critical_path_s) : "–",
      speed: timing?.speed_up ? `${timing.speed_up.toFixed(1)}×` : "–",
      coverage: result?.coverage ? percent(result.coverage.share) : "–",
    };
    for (const [key, text] of Object.entries(facts)) setText(this.facts[key], text);
    for (const state of STATES) {
      setText(this.counts[state], count(sub.states[state]));
      this.bars[state].style.setProperty("--share", sub.states[state] / sub.nodes);
      this.buttons[state].disabled = sub.states[state] === 0;
    }
    this.progress.setAttribute("aria-valuemax", sub.nodes);
    this.progress.setAttribute("aria-valuenow", ended);
    return false;
  }
}

function button(text, onClick, kind) {
  return el("button", { class: kind, type: "button", text, on: { click: onClick } });
}
