/** The reference of the REST API, made of the service's own OpenAPI document. */

import { api } from "./api.js";
import { el, loading, problemBox } from "./dom.js";
import { callsByTag, exampleOf, fieldsOf, kindOf } from "./reference-model.js";

export async function referencePage(main) {
  main.replaceChildren(loading("Loading the description …"));
  try {
    const described = await api.description();
    document.title = "API · Banyan";
    main.replaceChildren(el("div", { class: "reference" },
      el("header", { class: "block" }, el("h1", { text: "The REST API" }),
        el("p", { class: "muted" }, "Made of ", el("a", { href: "/openapi.json", text: "/openapi.json" }),
          ", which clients can be made from, too.")),
      callsByTag(described).map(([tag, calls]) => el("section", { class: "panel", "aria-label": tag },
        el("div", { class: "panel-head" }, el("h2", { text: tag })),
        el("div", { class: "calls" }, calls.map((call) => callView(call, described)))))));
  } catch (error) {
    main.replaceChildren(problemBox(error, () => referencePage(main)));
  }
}

function callView({ method, path, operation }, described) {
  const body = Object.entries(operation.requestBody?.content ?? {});
  return el("details", { class: "call" },
    el("summary", {}, el("span", { class: "method", text: method }), el("code", { text: path }),
      el("span", { class: "muted", text: operation.summary })),
    el("div", { class: "body" }, el("p", { text: operation.description }),
      table(["Parameter", "In", "Type", ""], (operation.parameters ?? []).map((one) =>
        [one.name, one.in, kindOf(one.schema), one.description ?? ""])),
      body.flatMap(([type, content]) => [el("h3", { text: `Body, ${type}` }),
        table(["Field", "Type", "Default", ""], fieldsOf(content.schema, described)),
        code(exampleOf(content, described))]),
      Object.entries(operation.responses).sort(([left], [right]) => left - right).map(([status, reply]) =>
        replyView(status, reply, described))));
}

function replyView(status, reply, described) {
  return el("details", {}, el("summary", {}, el("b", { text: status }), reply.description),
    el("div", { class: "body" }, Object.entries(reply.content ?? {}).map(([type, content]) =>
      [el("p", { class: "mono", text: type }), code(exampleOf(content, described))]).flat()));
}

function table(head, rows) {
  if (!rows.length) return null;
  return el("div", { class: "scroll-x" }, el("table", { class: "table" },
    el("thead", {}, el("tr", {}, head.map((text) => el("th", { text, scope: "col" })))),
    el("tbody", {}, rows.map((cells) => el("tr", {}, cells.map((text, index) =>
      (index ? el("td", { text }) : el("th", { scope: "row" }, el("code", { text })))))))));
}

function code(example) {
  return el("pre", { tabindex: "0",
    text: typeof example === "string" ? example : JSON.stringify(example, null, 2) });
}
