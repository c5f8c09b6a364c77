/** The policy: the live one, or another policy or version that the service names. */

import { api } from "./api.js";
import { el } from "./dom.js";

const LIVE = "live";
/** What OpenAI's clients call the live policy. */
const LIVE_MODEL = "banyan";

/** `{element, read}`; `read` gives the `policy` of a request. */
export function policyField() {
  const select = el("select", { id: "policy" }, el("option", { value: LIVE, text: "Live" }));
  const hint = el("p", { class: "hint", text: "The weights that the root runs on." });
  const fill = async () => {
    const { data } = await api.models();
    const names = data.map((model) => model.id).filter((name) => name !== LIVE_MODEL);
    select.append(...names.map((name) => el("option", { value: name, text: name })));
  };
  fill().catch((error) => {
    hint.classList.add("wrong");
    hint.textContent = `The service does not name its policies: ${error.message} The live one is taken.`;
  });
  const element = el("div", { class: "field" }, el("label", { for: "policy", text: "Policy" }), select, hint);
  return { element, read: () => select.value };
}
