/** The form: a goal, documents as files or pasted text, and the rules of the solve. */

import { api } from "./api.js";
import { el, problemBox } from "./dom.js";
import { FileField } from "./file-field.js";
import { limitFields } from "./limit-fields.js";

const GATES = [["threshold", "By score", "Delegates where the score reaches the threshold."],
  ["always", "Always", "Delegates wherever it can: everything is read."],
  ["never", "Never", "Answers directly as long as that is possible."],
  ["sampled", "Sampled", "Draws by the policy's own probabilities."]];

/** `onStarted(id)`: the solve was taken. */
export function submitForm(onStarted) {
  const goal = el("textarea", { id: "goal", required: true, maxlength: "20000", rows: "3",
    placeholder: "Which obligations survive termination, and for how long?" });
  const files = new FileField();
  const pasted = el("textarea", { id: "pasted", rows: "4", placeholder: "Or paste a text" });
  const gate = gateField();
  const limits = limitFields();
  const trouble = el("div", { "aria-live": "assertive" });
  const go = el("button", { class: "button primary", type: "submit", text: "Solve" });
  const form = el("form", { class: "submit-form" },
    field("Goal", goal),
    el("div", { class: "field" }, el("span", { class: "label", id: "documents-label", text: "Documents" }), files.element, pasted),
    gate.element,
    el("details", {}, el("summary", { class: "label", text: "Limits" }), limits.element),
    trouble, go);
  pasted.setAttribute("aria-labelledby", "documents-label");
  // A form that is sent again, because its reply was lost, starts one solve and not two.
  let key = newKey();
  form.addEventListener("input", () => {
    key = newKey();
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    trouble.replaceChildren();
    go.disabled = true;
    go.textContent = files.count ? "Uploading …" : "Starting …";
    try {
      const documents = await files.upload();
      if (pasted.value.trim()) documents.push({ text: pasted.value });
      const started = await api.submit({ goal: goal.value, documents, limits: limits.read(), gate: gate.read() }, key);
      onStarted(started.id);
    } catch (error) {
      trouble.replaceChildren(problemBox(error));
    } finally {
      go.disabled = false;
      go.textContent = "Solve";
    }
  });
  return el("section", { class: "panel", "aria-labelledby": "form-title" },
    el("div", { class: "panel-head" }, el("h2", { id: "form-title", text: "New solve" })), form);
}

function newKey() {
  return `web-${Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(16)).join("")}`;
}

function field(label, input) {
  return el("div", { class: "field" }, el("label", { for: input.id, text: label }), input);
}

function gateField() {
  const threshold = el("input", { id: "threshold", type: "number", step: "any", placeholder: "as published with the policy" });
  const more = el("div", { class: "field" }, el("label", { for: "threshold", text: "Threshold, nats" }), threshold);
  const hint = el("p", { class: "hint", text: GATES[0][2] });
  const radios = GATES.map(([value, text, says], index) => {
    const input = el("input", { type: "radio", name: "gate", value, checked: index === 0 });
    input.addEventListener("change", () => {
      hint.textContent = says;
      more.hidden = value !== "threshold";
    });
    return el("label", {}, input, text);
  });
  const element = el("fieldset", { class: "field" }, el("legend", { text: "Gate" }),
    el("div", { class: "segments" }, radios), hint, more);
  const read = () => {
    const mode = element.querySelector("input[name=gate]:checked").value;
    const isSet = mode === "threshold" && threshold.value !== "";
    return isSet ? { mode, threshold: Number(threshold.value) } : { mode };
  };
  return { element, read };
}
