/** An OpenAPI document as a page shows it. Pure. */

/** `[tag, [{method, path, operation}]]`, in the order of the document. */
export function callsByTag(described) {
  const found = new Map();
  for (const [path, operations] of Object.entries(described.paths)) {
    for (const [method, operation] of Object.entries(operations)) {
      const [tag] = operation.tags;
      if (!found.has(tag)) found.set(tag, []);
      found.get(tag).push({ method: method.toUpperCase(), path, operation });
    }
  }
  return [...found];
}

/** A type in a few words. */
export function kindOf(schema) {
  if (schema.$ref) return nameOf(schema);
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices) return [...new Set(choices.map(kindOf))].join(" or ");
  if (schema.enum) return schema.enum.join(", ");
  if (schema.const !== undefined) return String(schema.const);
  if (schema.type === "array") return `list of ${kindOf(schema.items ?? {})}`;
  return schema.type ?? "any JSON";
}

/** Rows of the fields of a body: name, type, default or "needed", and what it is for. */
export function fieldsOf(schema, described) {
  const named = namedIn(schema, described);
  if (!named?.properties) return [];
  const needed = new Set(named.required ?? []);
  return Object.entries(named.properties).map(([name, field]) => [name, kindOf(field),
    needed.has(name) ? "needed" : JSON.stringify(field.default) ?? "", field.description ?? ""]);
}

/** The example of a body or a reply: its own, or the first one of its schema. */
export function exampleOf(content, described) {
  return content.example ?? namedIn(content.schema, described)?.examples?.[0] ?? "";
}

/** The schema that `schema` refers to, whether or not it may be null besides. */
function namedIn(schema, described) {
  const reference = (schema.anyOf ?? [schema]).find((one) => one.$ref);
  return reference ? described.components.schemas[nameOf(reference)] : null;
}

function nameOf({ $ref: reference }) {
  return reference.slice(reference.lastIndexOf("/") + 1);
}
