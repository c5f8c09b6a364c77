/** The schema that the answer must follow. Whether it is JSON is said here, all else by the service. */

import { el } from "./dom.js";
import { asSchema } from "./json-text.js";

const EXAMPLE = '{"type": "object", "properties": {"years": {"type": "integer"}}, "required": ["years"]}';

/** `{element, read}`; `read` gives the `answer_schema` of a request, or null. */
export function schemaField() {
  const input = el("textarea", { id: "answer-schema", class: "mono", rows: "5", spellcheck: "false",
    placeholder: EXAMPLE, "aria-describedby": "answer-schema-hint" });
  const hint = el("p", { class: "hint", id: "answer-schema-hint",
    text: "JSON Schema of an object. The answer follows it, or the solve fails. Empty: the answer is text." });
  const check = () => {
    const { problem } = asSchema(input.value);
    input.setCustomValidity(problem ?? "");
    input.setAttribute("aria-invalid", String(problem !== null));
  };
  input.addEventListener("input", check);
  const element = el("div", { class: "field" }, el("label", { for: input.id, text: "Answer schema" }), input, hint);
  return { element, read: () => asSchema(input.value).schema };
}
