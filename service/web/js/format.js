/** Numbers, times and money as people read them. Pure. */

const whole = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });

export function count(value) {
  return whole.format(value);
}

/** 1240 as "1,240", 21874 as "21.9k", 3100000 as "3.1M". */
export function compact(value) {
  if (value < 10_000) return count(value);
  if (value < 999_950) return `${(value / 1e3).toFixed(1)}k`;
  if (value < 999_950_000) return `${(value / 1e6).toFixed(1)}M`;
  return `${(value / 1e9).toFixed(1)}G`;
}

/** 0.0421 as "42 ms", 3.25 as "3.25 s", 83 as "1 min 23 s", 7300 as "2 h 2 min". */
export function duration(seconds) {
  if (seconds === null || seconds === undefined) return "–";
  if (seconds < 0.9995) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 59.95) return `${seconds.toFixed(seconds < 9.995 ? 2 : 1)} s`;
  const total = Math.round(seconds);
  if (total < 3600) return `${Math.floor(total / 60)} min ${total % 60} s`;
  return `${Math.floor(total / 3600)} h ${Math.floor((total % 3600) / 60)} min`;
}

/** USD; small sums keep two significant digits. */
export function usd(value) {
  if (!value) return "$0";
  if (value >= 0.995) return `$${value.toFixed(2)}`;
  if (value >= 0.01) return `$${value.toFixed(3)}`;
  return `$${Number(value.toPrecision(2)).toFixed(9).replace(/0+$/, "")}`;
}

export function percent(share) {
  return `${(share * 100).toFixed(share > 0 && share < 0.0995 ? 1 : 0)}%`;
}

/** How long ago a moment was, both in seconds since the epoch. */
export function ago(at, now) {
  const seconds = Math.max(0, now - at);
  if (seconds < 45) return "just now";
  if (seconds < 3600) return `${Math.max(1, Math.round(seconds / 60))} min ago`;
  if (seconds < 86_400) return `${Math.round(seconds / 3600)} h ago`;
  return `${Math.round(seconds / 86_400)} d ago`;
}

/** An answer as text: objects as indented JSON. */
export function answerText(answer) {
  if (answer === null || answer === undefined) return "";
  return typeof answer === "string" ? answer : JSON.stringify(answer, null, 2);
}

/** A word of the API as people read it: "over_budget" as "over budget". */
export function words(code) {
  return String(code).replaceAll("_", " ");
}
