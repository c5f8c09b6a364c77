/** The keys, in a dialog that `?` opens. */

import { el } from "./dom.js";

const KEYS = [["↑ ↓", "previous or next node"], ["→ ←", "open or close a node, go down or up"],
  ["Home End", "first or last row"], ["Page ↑ ↓", "a page of rows"], ["Enter", "show the node"],
  ["Esc", "back to the tree"], ["t", "go to the tree"], ["?", "this list"]];

/** The button that opens it; the keys work from everywhere but from fields. */
export function shortcuts() {
  const dialog = el("dialog", { "aria-labelledby": "keys-title" },
    el("h2", { id: "keys-title", text: "Keys" }),
    el("dl", { class: "keys" }, KEYS.flatMap(([key, text]) => [el("dt", {}, el("kbd", { text: key })), el("dd", { text })])),
    el("form", { method: "dialog" }, el("div", { class: "dialog-actions" }, el("button", { class: "button", text: "Close" }))));
  document.body.append(dialog);
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, textarea, select, dialog[open]")) return;
    if (event.key === "?") dialog.showModal();
    else if (event.key === "t") document.querySelector(".tree")?.focus();
  });
  return el("button", { class: "button quiet", type: "button", text: "Keys", on: { click: () => dialog.showModal() } });
}
