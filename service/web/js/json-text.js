/** JSON that a person has typed. Pure. */

/** `{schema, problem}`: an object or null where nothing is there, and what is wrong or null. */
export function asSchema(text) {
  if (!text.trim()) return { schema: null, problem: null };
  try {
    const schema = JSON.parse(text);
    const isObject = typeof schema === "object" && schema !== null && !Array.isArray(schema);
    return isObject ? { schema, problem: null } : { schema: null, problem: "A schema is a JSON object." };
  } catch (error) {
    return { schema: null, problem: `This is not JSON: ${error.message}.` };
  }
}
