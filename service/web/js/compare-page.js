/** Two runs beside one another: what they used, how they divided, and what they answered. */

import { api } from "./api.js";
import { diffWords } from "./diff.js";
import { dot, el, empty, loading, problemBox } from "./dom.js";
import { follow } from "./follow.js";
import { answerText, compact, count, duration, percent, usd, words } from "./format.js";
import { byDepth, change, metrics } from "./run-summary.js";
import { FINAL, TreeModel } from "./tree-model.js";

export async function comparePage(main, query) {
  const [a, b] = [query.get("a"), query.get("b")];
  const body = el("div", { class: "block" });
  const page = el("div", { class: "compare" }, el("h1", { text: "Compare two solves" }), body);
  main.replaceChildren(page);
  try {
    body.before(await picker(a, b));
    if (!a || !b) {
      body.replaceChildren(empty("Choose two solves."));
      return;
    }
    body.replaceChildren(loading("Reading both solves …"));
    const runs = await Promise.all([read(a), read(b)]);
    body.replaceChildren(...compared(runs));
  } catch (error) {
    body.replaceChildren(problemBox(error, () => comparePage(main, query)));
  }
}

async function picker(a, b) {
  const { solves } = await api.solves({ limit: 100 });
  const choice = (name, label, chosen) => {
    const known = solves.some((solve) => solve.id === chosen);
    return el("div", { class: "field" }, el("label", { for: `pick-${name}`, text: label }),
      el("select", { id: `pick-${name}`, name, required: true },
        el("option", { value: "", text: "Choose a solve" }),
        chosen && !known ? el("option", { value: chosen, text: chosen, selected: true }) : null,
        solves.map((solve) => el("option", { value: solve.id, selected: solve.id === chosen,
          text: `${solve.goal.slice(0, 70)} · ${words(solve.status)} · ${solve.id.slice(6, 14)}` }))));
  };
  return el("form", { class: "panel compare-pick", method: "get", action: "/compare" },
    choice("a", "First", a), choice("b", "Second", b),
    el("button", { class: "button primary", type: "submit", text: "Compare" }));
}

/** A run: its result, and its tree from its events. A solve that still runs is read as it stands. */
async function read(id) {
  const result = await api.solve(id);
  const root = await api.node(id, "0");
  const model = new TreeModel();
  if (FINAL.has(result.status)) {
    await follow(id, { onEvents: (events) => events.forEach((event) => model.apply(event)) });
  }
  return { id, result, goal: root.goal, model };
}

function compared([left, right]) {
  return [
    el("div", { class: "sides" }, [left, right].map(({ id, goal, result }) =>
      el("section", { class: "panel" }, el("div", { class: "panel-head" },
        el("h2", {}, el("a", { href: `/solves/${encodeURIComponent(id)}`, text: goal })),
        el("span", { class: "chip" }, dot(result.status), words(result.status)))))),
    el("section", { class: "panel scroll-x" }, numbers(metrics(left.result), metrics(right.result))),
    el("section", { class: "panel scroll-x" }, levels(byDepth(left.model), byDepth(right.model))),
    answers(left.result, right.result),
  ];
}

function numbers(left, right) {
  const rows = left.map((metric, index) => {
    const other = right[index].value;
    const { relative, verdict } = change(metric.value, other, metric.better);
    const text = verdict === "same" ? "–" : relative === null ? "new" : signed(relative);
    const said = verdict === "better" || verdict === "worse" ? `, ${verdict}` : "";
    return el("tr", {}, el("th", { scope: "row", text: metric.label }),
      el("td", { text: shown(metric.value, metric.unit) }), el("td", { text: shown(other, metric.unit) }),
      el("td", { class: verdict }, text, el("span", { class: "visually-hidden", text: said })));
  });
  return table(["", "First", "Second", "Change"], rows);
}

function levels(left, right) {
  const depth = Math.max(left.length, right.length);
  const rows = Array.from({ length: depth }, (_, index) => el("tr", {},
    el("th", { scope: "row", text: index === 0 ? "Root" : `Depth ${index}` }),
    [left[index], right[index]].flatMap((level) => [level ? count(level.nodes) : "–",
      level ? compact(level.tokens) : "–", level ? duration(level.modelS) : "–"])
      .map((text) => el("td", { text }))));
  return table(["By depth", "Nodes", "Tokens", "Model time", "Nodes", "Tokens", "Model time"], rows);
}

function table(heads, rows) {
  return el("table", { class: "table" }, el("thead", {}, el("tr", {}, heads.map((text) =>
    el("th", { scope: "col", text })))), el("tbody", {}, rows));
}

function answers(left, right) {
  const [from, to] = [answerText(left.answer), answerText(right.answer)];
  const parts = diffWords(from, to);
  const note = parts === null ? "Both are too long to mark what differs." : from === to ? "Both answers are the same."
    : "Struck through: in the first alone. Underlined: in the second alone.";
  return el("section", { class: "panel" }, el("div", { class: "panel-head" }, el("h2", { text: "Answers" }),
    el("span", { class: "small muted", text: note })),
  el("div", { class: parts === null ? "answers sides" : "answers" }, parts === null
    ? [from, to].map((text) => el("p", { class: "prose", text }))
    : el("p", { class: "prose" }, parts.map(({ kind, text }) =>
      kind === "same" ? text : el(kind === "left" ? "del" : "ins", { text })))));
}

function shown(value, unit) {
  if (value === null) return "–";
  if (unit === "s") return duration(value);
  if (unit === "$") return usd(value);
  if (unit === "%") return percent(value);
  return unit === "×" ? `${value.toFixed(2)}×` : count(value);
}

function signed(relative) {
  const share = relative * 100;
  return `${share > 0 ? "+" : "−"}${Math.abs(share).toFixed(Math.abs(share) < 10 ? 1 : 0)}%`;
}
