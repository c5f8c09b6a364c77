/** Fields for the limits, made of the service's own description: defaults and bounds are its. */

import { api } from "./api.js";
import { el } from "./dom.js";
import { count, words } from "./format.js";

const LABELS = { deadline_s: "Deadline, seconds", max_cost_usd: "Max cost, USD" };

export function limitFields() {
  const inputs = new Map();
  const element = el("div", { class: "grid-2" }, el("p", { class: "hint", text: "Loading …" }));
  const fill = async () => {
    const { properties } = (await api.description()).components.schemas.Limits;
    element.replaceChildren(...Object.entries(properties).map(([name, schema]) => {
      const input = inputOf(name, schema);
      inputs.set(name, input);
      const label = LABELS[name] ?? capital(words(name));
      return el("div", { class: "field", title: schema.description ?? "" },
        el("label", { for: input.id, text: label }), input);
    }));
  };
  fill().catch((error) => element.replaceChildren(el("p", { class: "hint wrong",
    text: `The service does not describe its limits: ${error.message} Its defaults hold.` })));
  const read = () => Object.fromEntries([...inputs].filter(([, input]) => input.value !== "")
    .map(([name, input]) => [name, Number(input.value)]));
  return { element, read };
}

function inputOf(name, schema) {
  const kind = schema.anyOf?.find((one) => one.type !== "null") ?? schema;
  const whole = kind.type === "integer";
  return el("input", { id: `limit-${name}`, type: "number", step: whole ? "1" : "any",
    min: whole ? kind.minimum : 0, max: kind.maximum,
    placeholder: schema.default === null || schema.default === undefined ? "none" : count(schema.default) });
}

function capital(text) {
  return text[0].toUpperCase() + text.slice(1);
}
