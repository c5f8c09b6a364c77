/** The form: a goal, documents as files or pasted text, and the rules of the solve. */

import { api } from "./api.js";
import { announce, el, problemBox } from "./dom.js";
import { estimateView } from "./estimate-view.js";
import { FileField } from "./file-field.js";
import { gateField } from "./gate-field.js";
import { limitFields } from "./limit-fields.js";
import { policyField } from "./policy-field.js";
import { schemaField } from "./schema-field.js";

/** `onStarted(id)`: the solve was taken. */
export function submitForm(onStarted) {
  const goal = el("textarea", { id: "goal", required: true, maxlength: "20000", rows: "3",
    placeholder: "Which obligations survive termination, and for how long?" });
  const files = new FileField();
  const pasted = el("textarea", { id: "pasted", rows: "4", placeholder: "Or paste a text" });
  const [gate, policy, schema, limits] = [gateField(), policyField(), schemaField(), limitFields()];
  const outcome = el("div", { "aria-live": "polite" });
  const estimate = el("button", { class: "button", type: "button", text: "Estimate" });
  const go = el("button", { class: "button primary", type: "submit", text: "Solve" });
  const form = el("form", { class: "submit-form" },
    field("Goal", goal),
    el("div", { class: "field" }, el("span", { class: "label", id: "documents-label", text: "Documents" }), files.element, pasted),
    gate.element, policy.element,
    section("Structured answer", schema.element), section("Limits", limits.element),
    outcome, el("div", { class: "form-actions" }, estimate, go));
  pasted.setAttribute("aria-labelledby", "documents-label");
  const request = (documents) => ({ goal: goal.value, limits: limits.read(), gate: gate.read(),
    policy: policy.read(), answer_schema: schema.read(),
    documents: pasted.value.trim() ? [...documents, { text: pasted.value }] : documents });
  // A form that is sent again, because its reply was lost, starts one solve and not two.
  let key = newKey();
  form.addEventListener("input", () => {
    key = newKey();
  });
  // A field that is wrong can only be shown where its section is open.
  form.addEventListener("invalid", ({ target }) => target.closest("details")?.setAttribute("open", ""), true);
  estimate.addEventListener("click", () => act(estimate, "Estimating …", async () => {
    if (!form.reportValidity()) return;
    // Files are not uploaded for it: their bytes count as characters.
    const planned = await api.estimate({ ...request(files.references()), more_chars: files.bytesToUpload() });
    outcome.replaceChildren(estimateView(planned));
    announce("The estimate is there.");
  }));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    act(go, files.count ? "Uploading …" : "Starting …", async () => {
      await files.upload();
      onStarted((await api.submit(request(files.references()), key)).id);
    });
  });
  const act = async (button, says, action) => {
    const text = button.textContent;
    outcome.replaceChildren();
    button.disabled = true;
    button.textContent = says;
    try {
      await action();
    } catch (error) {
      outcome.replaceChildren(problemBox(error));
    } finally {
      button.disabled = false;
      button.textContent = text;
    }
  };
  return el("section", { class: "panel", "aria-labelledby": "form-title" },
    el("div", { class: "panel-head" }, el("h2", { id: "form-title", text: "New solve" })), form);
}

function newKey() {
  return `web-${Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(16)).join("")}`;
}

function field(label, input) {
  return el("div", { class: "field" }, el("label", { for: input.id, text: label }), input);
}

function section(title, body) {
  return el("details", {}, el("summary", { class: "label", text: title }), body);
}
