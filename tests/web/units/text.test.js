import { diffWords } from "/assets/js/diff.js";
import { DocumentText } from "/assets/js/document-text.js";
import { compact, duration, percent, usd } from "/assets/js/format.js";
import { change } from "/assets/js/run-summary.js";
import { codePoints, complement, merge, pieces, windowAround } from "/assets/js/spans.js";
import { EventParser } from "/assets/js/sse.js";
import { equal, test } from "./check.js";

const bytes = (text) => new TextEncoder().encode(text);

test("spans that touch become one", () => {
  equal(merge([{ start: 5, end: 9 }, { start: 0, end: 3 }, { start: 3, end: 4 }, { start: 7, end: 7 }]),
    [{ start: 0, end: 4 }, { start: 5, end: 9 }]);
});

test("what was not taken is the rest of the document", () => {
  equal(complement(10, [{ start: 2, end: 4 }, { start: 8, end: 12 }]), [{ start: 0, end: 2 }, { start: 4, end: 8 }]);
});

test("pieces cut where marks begin and end, and know what holds in them", () => {
  equal(pieces(0, 6, [{ start: 1, end: 4, kind: "a" }, { start: 3, end: 9, kind: "b" }]), [
    { start: 0, end: 1, kinds: [] }, { start: 1, end: 3, kinds: ["a"] },
    { start: 3, end: 4, kinds: ["a", "b"] }, { start: 4, end: 6, kinds: ["b"] },
  ]);
});

test("a window holds the place that it is made for, and stays in the document", () => {
  equal(windowAround({ start: 50, end: 60 }, 1000, 100), { start: 5, end: 105 });
  equal(windowAround({ start: 990, end: 999 }, 1000, 100), { start: 900, end: 1000 });
  equal(windowAround({ start: 0, end: 0 }, 20, 100), { start: 0, end: 20 });
});

test("spans count code points, not UTF-16 units", () => {
  equal(codePoints("🌳a").length, 2);
});

/** A service that knows ranges, on one text. */
function served(text, asked) {
  const all = bytes(text);
  return new DocumentText({ num_bytes: all.length, num_chars: codePoints(text).length }, (range) => {
    asked.push(range);
    const found = range?.match(/^bytes=(\d+)-(\d+)$/);
    const body = found ? all.slice(Number(found[1]), Number(found[2]) + 1) : all;
    return new Response(body, { status: found ? 206 : 200 });
  });
}

test("a part of a plain text is asked for by its bytes alone", async () => {
  const asked = [];
  equal(await served("0123456789", asked).read(3, 6), "345");
  equal(asked, ["bytes=3-5"]);
});

test("a part of a text with longer characters begins and ends at the right ones", async () => {
  const text = "ä🌳x".repeat(50_000);
  const document = served(text, []);
  for (const [start, end] of [[0, 4], [65_535, 65_540], [131_071, 131_075], [149_998, 150_000]]) {
    equal(await document.read(start, end), codePoints(text).slice(start, end).join(""));
  }
});

test("events are whole even where a chunk ends within one, or within a character", () => {
  const parser = new EventParser();
  const stream = bytes("event: a\nid: 1\ndata: {\"t\":\"ä\"}\n\n: beat\n\ndata: x\ndata: y\n\n");
  const found = [];
  for (const byte of stream) found.push(...parser.push(Uint8Array.of(byte)));
  equal(found, [{ event: "a", id: "1", data: "{\"t\":\"ä\"}" }, { event: "message", id: null, data: "x\ny" }]);
});

test("a difference is made of words, and gives both texts back", () => {
  const parts = diffWords("the old tree grows", "the new tree grows tall");
  const side = (kind) => parts.filter((part) => part.kind !== kind).map((part) => part.text).join("");
  equal([side("right"), side("left")], ["the old tree grows", "the new tree grows tall"]);
  equal(parts.filter((part) => part.kind === "left").map((part) => part.text), ["old"]);
});

test("texts that are too long to compare are told so", () => {
  equal(diffWords("a ".repeat(2000), "b"), null);
});

test("a change is better or worse by what is wanted", () => {
  equal(change(10, 5, "less"), { relative: -0.5, verdict: "better" });
  equal(change(10, 5, "more"), { relative: -0.5, verdict: "worse" });
  equal(change(0, 5, null), { relative: null, verdict: "other" });
  equal(change(null, 5, "less"), { relative: null, verdict: "same" });
});

test("numbers are as long as they need to be", () => {
  equal([compact(999), compact(9_999), compact(12_345), compact(3_100_000)], ["999", "9,999", "12.3k", "3.1M"]);
  equal([duration(0.0421), duration(3.25), duration(59.97), duration(7_320), duration(null)],
    ["42 ms", "3.25 s", "1 min 0 s", "2 h 2 min", "–"]);
  equal([usd(0), usd(0.000012), usd(1.5), percent(0.051), percent(1)], ["$0", "$0.000012", "$1.50", "5.1%", "100%"]);
});
