/** The first page: ask something, and see what was asked before. */

import { el } from "./dom.js";
import { SolveList } from "./solve-list.js";
import { submitForm } from "./submit-form.js";

export function homePage(main) {
  const list = new SolveList();
  main.replaceChildren(el("div", { class: "home" },
    submitForm((id) => window.location.assign(`/solves/${encodeURIComponent(id)}`)), list.element));
  return list.start();
}
