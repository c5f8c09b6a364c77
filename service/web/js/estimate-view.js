/** What a solve would take, between one look and reading everything. */

import { el } from "./dom.js";
import { compact, count, duration, usd } from "./format.js";

const ROWS = [["Nodes", "nodes", count], ["Model calls", "llm_calls", count], ["Depth", "max_depth", count],
  ["Prompt tokens", "prompt_tokens", compact], ["Completion tokens", "completion_tokens", compact],
  ["Cost", "cost_usd", usd], ["Time", "seconds", duration]];

export function estimateView({ input_tokens: tokens, fits, least, most, likely, exceeds }) {
  const plans = [["One look", least], ["All is read", most], ...(likely ? [["Likely, as before", likely]] : [])];
  return el("section", { class: "estimate", "aria-label": "Estimate" },
    el("p", { class: "hint", text: `About ${compact(tokens)} tokens of input, which ${fits ? "fit" : "do not fit"} the window.` }),
    el("table", { class: "table" },
      el("thead", {}, el("tr", {}, el("td"), plans.map(([text]) => el("th", { text, scope: "col" })))),
      el("tbody", {}, ROWS.map(([label, key, shown]) => el("tr", {}, el("th", { text: label, scope: "row" }),
        plans.map(([, plan]) => el("td", { text: shown(plan[key]) })))))),
    exceeds.length ? el("p", { class: "note", text: `To read everything, this is too little: ${exceeds.join(", ")}.` }) : null);
}
