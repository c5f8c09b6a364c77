/** What to add to a solve's budget before it goes on. */

import { el } from "./dom.js";

const EXTRAS = [["tokens", "Extra tokens", "1"], ["nodes", "Extra nodes", "1"], ["cost_usd", "Extra USD", "any"]];

/** The body of a resume, or null where the person thinks better of it. */
export function askResume() {
  return new Promise((resolve) => {
    const fields = EXTRAS.map(([name, label, step]) => [name, label, el("input", { id: `extra-${name}`,
      type: "number", min: "0", step, placeholder: "0" })]);
    const deadline = el("input", { id: "extra-deadline", type: "number", min: "1", placeholder: "as before" });
    const dialog = el("dialog", { "aria-labelledby": "resume-title" },
      el("form", { method: "dialog" },
        el("h2", { id: "resume-title", text: "Resume this solve" }),
        el("p", { class: "muted", text: "Nodes that ended well keep their results. The others, and the merges above them, run again with what is left of the budget and what you add." }),
        el("div", { class: "grid-2" }, [...fields, ["deadline", "Seconds until its deadline", deadline]]
          .map(([, label, input]) => el("div", { class: "field" }, el("label", { for: input.id, text: label }), input))),
        el("div", { class: "dialog-actions" },
          el("button", { class: "button", type: "button", text: "Not now", on: { click: () => dialog.close("") } }),
          el("button", { class: "button primary", value: "resume", text: "Resume" }))));
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "resume" ? bodyOf(fields, deadline) : null);
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

function bodyOf(fields, deadline) {
  const extra = Object.fromEntries(fields
    .filter(([, , input]) => input.value !== "").map(([name, , input]) => [name, Number(input.value)]));
  return {
    ...(Object.keys(extra).length ? { extra } : {}),
    ...(deadline.value === "" ? {} : { deadline_s: Number(deadline.value) }),
  };
}
