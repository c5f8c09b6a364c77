import { asSchema } from "/assets/js/json-text.js";
import { callsByTag, exampleOf, fieldsOf, kindOf } from "/assets/js/reference-model.js";
import { equal, test } from "./check.js";

const named = (name) => ({ $ref: `#/components/schemas/${name}` });
const described = {
  paths: { "/a": { get: { tags: ["x"] }, post: { tags: ["y"] } }, "/b": { get: { tags: ["x"] } } },
  components: { schemas: { Body: { required: ["n"], examples: [{ n: 1 }],
    properties: { n: { type: "integer", description: "How many." }, s: { type: "string", default: "a" } } } } },
};

test("calls stand under their tag, in the order of the document", () => {
  equal(callsByTag(described).map(([tag, calls]) => [tag, calls.map(({ method, path }) => `${method} ${path}`)]),
    [["x", ["GET /a", "GET /b"]], ["y", ["POST /a"]]]);
});

test("a type is told in a few words", () => {
  equal([{ type: "array", items: named("Body") }, { anyOf: [{ type: "string" }, { type: "null" }] },
    { enum: ["a", "b"] }, {}].map(kindOf), ["list of Body", "string or null", "a, b", "any JSON"]);
});

test("fields of a body say whether they are needed, also where the body may be null", () => {
  const rows = [["n", "integer", "needed", "How many."], ["s", "string", '"a"', ""]];
  equal(fieldsOf(named("Body"), described), rows);
  equal(fieldsOf({ anyOf: [named("Body"), { type: "null" }] }, described), rows);
  equal(fieldsOf({ type: "string" }, described), []);
});

test("an example is the reply's own, or the first one of its schema", () => {
  equal(exampleOf({ schema: named("Body"), example: { n: 2 } }, described), { n: 2 });
  equal(exampleOf({ schema: named("Body") }, described), { n: 1 });
});

test("a schema that was typed is an object, nothing, or wrong with a reason", () => {
  equal(asSchema(" "), { schema: null, problem: null });
  equal(asSchema('{"type": "object"}'), { schema: { type: "object" }, problem: null });
  equal(asSchema("[1]").problem, "A schema is a JSON object.");
  equal(asSchema("{").problem.startsWith("This is not JSON"), true);
});
