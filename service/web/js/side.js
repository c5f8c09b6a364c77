/** The side column: tabs of which one is shown; over the page as a sheet where there is no room. */

import { el } from "./dom.js";

export class Side {
  /** `tabs`: `{name: {label, body}}`, the first one is shown. */
  constructor(tabs) {
    this.tabs = tabs;
    this.returnTo = null;
    /** Told the name of the tab whenever one is shown. */
    this.onShow = null;
    this.buttons = Object.fromEntries(Object.entries(tabs).map(([name, { label }]) => [name, el(
      "button", { class: "tab", type: "button", role: "tab", id: `tab-${name}`, text: label,
        "aria-controls": `panel-${name}`, on: { click: () => this.show(name) } },
    )]));
    for (const [name, { body }] of Object.entries(tabs)) {
      body.id = `panel-${name}`;
      body.classList.add("side-body");
      body.tabIndex = 0;
      body.setAttribute("role", "tabpanel");
      body.setAttribute("aria-labelledby", `tab-${name}`);
    }
    const close = el("button", { class: "button quiet side-close", type: "button", text: "Close",
      on: { click: () => this.close() } });
    const list = el("div", { class: "tabs", role: "tablist", "aria-label": "Details" },
      Object.values(this.buttons), close);
    list.addEventListener("keydown", (event) => this.#onKey(event));
    this.element = el("aside", { class: "panel side", "aria-label": "Details" }, list,
      Object.values(tabs).map(({ body }) => body));
    this.element.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.close();
    });
    this.show(Object.keys(tabs)[0]);
  }

  show(name) {
    this.shown = name;
    for (const [each, button] of Object.entries(this.buttons)) {
      button.setAttribute("aria-selected", String(each === name));
      button.tabIndex = each === name ? 0 : -1;
      this.tabs[each].body.hidden = each !== name;
    }
    this.onShow?.(name);
  }

  /** Show a tab because a person asked for what is in it: focus goes there, and comes back. */
  open(name) {
    if (!this.element.contains(document.activeElement)) this.returnTo = document.activeElement;
    this.show(name);
    this.element.classList.add("sheet");
    this.tabs[name].body.focus({ preventScroll: true });
  }

  close() {
    this.element.classList.remove("sheet");
    this.returnTo?.focus({ preventScroll: true });
    this.returnTo = null;
  }

  #onKey(event) {
    const names = Object.keys(this.tabs);
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const name = names[(names.indexOf(this.shown) + step + names.length) % names.length];
    this.show(name);
    this.buttons[name].focus();
  }
}
