/** Spans: half-open ranges of code points of a document, `{start, end}`, and their algebra. Pure. */

/** The union as the fewest disjoint spans, ordered; empty ones vanish. */
export function merge(spans) {
  const merged = [];
  const ordered = spans.filter((span) => span.end > span.start);
  ordered.sort((left, right) => left.start - right.start);
  for (const { start, end } of ordered) {
    const last = merged.at(-1);
    if (last && start <= last.end) last.end = Math.max(last.end, end);
    else merged.push({ start, end });
  }
  return merged;
}

/** What of `[0, length)` is in none of `taken`. */
export function complement(length, taken) {
  const left = [];
  let position = 0;
  for (const { start, end } of merge(taken)) {
    if (start > position) left.push({ start: position, end: Math.min(start, length) });
    position = Math.max(position, end);
  }
  if (position < length) left.push({ start: position, end: length });
  return left.filter((span) => span.end > span.start);
}

/**
 * `[from, to)` cut wherever one of `marks` (`{start, end, kind}`) begins or ends. Each piece has the
 * kinds that hold in it.
 */
export function pieces(from, to, marks) {
  const inside = marks.filter((mark) => mark.end > from && mark.start < to);
  const cuts = new Set([from, to]);
  for (const mark of inside) {
    if (mark.start > from) cuts.add(mark.start);
    if (mark.end < to) cuts.add(mark.end);
  }
  const ordered = [...cuts].sort((left, right) => left - right);
  return ordered.slice(0, -1).map((start, index) => {
    const end = ordered[index + 1];
    const kinds = inside.filter((mark) => mark.start <= start && mark.end >= end);
    return { start, end, kinds: kinds.map((mark) => mark.kind) };
  });
}

/** The window of at most `size` code points of a document around a span; its start is in it. */
export function windowAround({ start, end }, length, size) {
  const spare = Math.max(0, size - (end - start));
  const from = Math.max(0, Math.min(start - Math.floor(spare / 2), length - size));
  return { start: from, end: Math.min(length, from + size) };
}

/** A text as an array of code points, which is what spans count. */
export function codePoints(text) {
  return Array.from(text);
}
