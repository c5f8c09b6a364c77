/** The theme: the system's, until a person chooses one. Those who draw by hand are told. */

import { el } from "./dom.js";

const KEY = "banyan.theme";

export function themeButton() {
  const button = el("button", { class: "button quiet", type: "button" });
  const show = () => {
    const next = current() === "dark" ? "light" : "dark";
    button.textContent = next === "dark" ? "Dark" : "Light";
    button.setAttribute("aria-label", `Use the ${next} theme`);
  };
  button.addEventListener("click", () => {
    const next = current() === "dark" ? "light" : "dark";
    document.documentElement.setAttribute("data-theme", next);
    try {
      localStorage.setItem(KEY, next);
    } catch {
      // Storage can be forbidden; the choice then lasts for this page.
    }
  });
  onTheme(show);
  show();
  return button;
}

export function current() {
  return document.documentElement.getAttribute("data-theme");
}

/** Call `handler` whenever the theme changes. */
export function onTheme(handler) {
  const watcher = new MutationObserver(handler);
  watcher.observe(document.documentElement, { attributeFilter: ["data-theme"] });
}

/** The values of custom properties, for canvases: `colours("ok", "line")` is `{ok, line}`. */
export function colours(...names) {
  const style = getComputedStyle(document.documentElement);
  return Object.fromEntries(names.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
}
