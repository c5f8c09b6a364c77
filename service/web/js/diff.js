/** What changed between two texts, word by word. Pure. */

const MAX_WORDS = 1500;

/**
 * Pieces `{kind: "same" | "left" | "right", text}` whose left ones make `left` and right ones
 * `right`. Null where the texts are too long to compare, which the page then says.
 */
export function diffWords(left, right) {
  const from = split(left);
  const to = split(right);
  if (from.length > MAX_WORDS || to.length > MAX_WORDS) return null;
  const lengths = commonLengths(from, to);
  const found = [];
  let [row, column] = [0, 0];
  while (row < from.length || column < to.length) {
    if (row < from.length && column < to.length && from[row] === to[column]) {
      push(found, "same", from[row]);
      row += 1;
      column += 1;
    } else if (column >= to.length || lengths[row + 1]?.[column] >= lengths[row][column + 1]) {
      push(found, "left", from[row++]);
    } else push(found, "right", to[column++]);
  }
  return found;
}

function split(text) {
  return text.match(/\s+|[^\s]+/g) ?? [];
}

/** `lengths[i][j]`: words that `from` behind i and `to` behind j have in common, in order. */
function commonLengths(from, to) {
  const lengths = Array.from({ length: from.length + 1 }, () => new Uint16Array(to.length + 1));
  for (let row = from.length - 1; row >= 0; row -= 1) {
    for (let column = to.length - 1; column >= 0; column -= 1) {
      lengths[row][column] = from[row] === to[column]
        ? lengths[row + 1][column + 1] + 1
        : Math.max(lengths[row + 1][column], lengths[row][column + 1]);
    }
  }
  return lengths;
}

function push(found, kind, text) {
  const last = found.at(-1);
  if (last?.kind === kind) last.text += text;
  else found.push({ kind, text });
}
