/**
 * Elements. Text that comes from a model or a document only ever becomes a text node: there is no
 * function here that parses markup, and the page's policy of trusted types forbids it everywhere.
 */

/**
 * An element. `props`: `class`, `text`, `data` (an object), `vars` (custom properties of CSS), `on`
 * (listeners); true and false set and leave out, everything else is an attribute.
 */
export function el(name, props = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (key === "class") element.className = value;
    else if (key === "text") element.textContent = value;
    else if (key === "data") Object.assign(element.dataset, value);
    else if (key === "vars") setVars(element, value);
    else if (key === "on") listen(element, value);
    else element.setAttribute(key, value === true ? "" : String(value));
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

function setVars(element, values) {
  for (const [name, value] of Object.entries(values)) element.style.setProperty(name, value);
}

function listen(element, handlers) {
  for (const [type, handler] of Object.entries(handlers)) element.addEventListener(type, handler);
}

/** Set an element's text where it differs: drawing at every frame must not disturb a reader. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function dot(state) {
  return el("span", { class: "dot", data: { state }, "aria-hidden": "true" });
}

export function loading(text) {
  return el("p", { class: "loading", text });
}

export function empty(text) {
  return el("p", { class: "empty", text });
}

/** A problem of the service, or of the page, as people read it. */
export function problemBox(error, again = null) {
  const details = [error.code, error.requestId].filter(Boolean).join(" · ");
  return el("div", { class: "problem", role: "alert" },
    el("strong", { text: error.message }),
    error.hint ? el("span", { text: error.hint }) : null,
    details ? el("span", { class: "small mono", text: details }) : null,
    again ? el("div", {}, el("button", { class: "button", type: "button", text: "Try again",
      on: { click: again } })) : null);
}

/** Say something to those who hear the page. */
export function announce(sentence) {
  document.getElementById("announcer").textContent = sentence;
}

/** A definition list of `[term, value]`; values that are null are left out. */
export function pairs(entries) {
  return el("dl", { class: "pairs" }, entries
    .filter(([, value]) => value !== null && value !== undefined && value !== "")
    .flatMap(([term, value]) => [
      el("dt", { text: term }),
      value instanceof Node ? el("dd", {}, value) : el("dd", { text: String(value) }),
    ]));
}

/** A block of the side column: a small heading and what stands below it. */
export function block(title, ...children) {
  return el("section", { class: "block" }, el("h3", { text: title }), ...children);
}
