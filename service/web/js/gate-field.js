/** The gate: whether agents delegate by score, always or never, or draw. */

import { el } from "./dom.js";

const MODES = [["threshold", "By score", "Delegates where the score reaches the threshold."],
  ["always", "Always", "Delegates wherever it can: everything is read."],
  ["never", "Never", "Answers directly as long as that is possible."],
  ["sampled", "Sampled", "Draws by the policy's own probabilities."]];

/** `{element, read}`; `read` gives the `gate` of a request. */
export function gateField() {
  const threshold = el("input", { id: "threshold", type: "number", step: "any", placeholder: "as published with the policy" });
  const more = el("div", { class: "field" }, el("label", { for: "threshold", text: "Threshold, nats" }), threshold);
  const hint = el("p", { class: "hint", text: MODES[0][2] });
  const radios = MODES.map(([value, text, says], index) => {
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
