/** The API key: asked for when the service wants one, and kept for this tab alone. */

import { el } from "./dom.js";

const KEY = "banyan.key";

export function authorization() {
  const key = sessionStorage.getItem(KEY);
  return key ? { Authorization: `Bearer ${key}` } : {};
}

export function hasKey() {
  return sessionStorage.getItem(KEY) !== null;
}

export function forgetKey() {
  sessionStorage.removeItem(KEY);
}

let asking = null;

/** Ask for a key; false where the person gives none. Requests that wait ask once together. */
export function askForKey() {
  asking ??= ask().finally(() => {
    asking = null;
  });
  return asking;
}

function ask() {
  const { promise, resolve } = defer();
  const wrong = hasKey();
  const input = el("input", { id: "api-key", type: "password", autocomplete: "off", required: true,
    spellcheck: "false", "aria-describedby": "api-key-hint" });
  const dialog = el("dialog", { "aria-labelledby": "api-key-title" },
    el("form", { method: "dialog" },
      el("h2", { id: "api-key-title", text: "API key" }),
      el("div", { class: "field" },
        el("label", { for: "api-key", text: "This service asks who you are" }), input,
        el("p", { class: wrong ? "hint wrong" : "hint", id: "api-key-hint",
          text: wrong ? "That key was refused. It may be revoked, or of another service."
            : "The key stays in this tab and is gone when you close it." })),
      el("div", { class: "dialog-actions" },
        el("button", { class: "button", type: "button", text: "Cancel",
          on: { click: () => dialog.close("") } }),
        el("button", { class: "button primary", value: "use", text: "Use this key" }))));
  dialog.addEventListener("close", () => {
    const given = dialog.returnValue === "use" && input.value.trim() !== "";
    if (given) sessionStorage.setItem(KEY, input.value.trim());
    dialog.remove();
    resolve(given);
  });
  document.body.append(dialog);
  dialog.showModal();
  return promise;
}

function defer() {
  let resolve;
  const promise = new Promise((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
