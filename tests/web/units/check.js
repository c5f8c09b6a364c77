/** The least of a test library: `test(name, act)`, and an assertion of equality. */

export const tests = [];

export function test(name, act) {
  tests.push({ name, act });
}

export function equal(found, expected) {
  const [left, right] = [JSON.stringify(found), JSON.stringify(expected)];
  if (left !== right) throw new Error(`found ${left}, expected ${right}`);
}

/** Run the test of this name; null where it holds, else what went wrong. */
export async function run(name) {
  const found = tests.filter((one) => one.name === name);
  if (found.length !== 1) return `${found.length} tests have this name`;
  try {
    await found[0].act();
    return null;
  } catch (error) {
    return String(error.stack ?? error);
  }
}
