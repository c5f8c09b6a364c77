"""What is sent to parsers: JSON of every kind and depth, and texts that have broken parsers."""

from __future__ import annotations

from hypothesis import strategies as st

NASTY = (
    *("", " ", "\0", "\ufeff", "\ud800", "\u2028", "\r", "\r\n", "NaN", "-0", "1e999", "9" * 400),
    *("[" * 5_000, '{"a":' * 5_000, '"' + "\\" * 999, "{}" * 9, '{"kind": "answer"', "null"),
    *('{"kind":"answer","answer":"\\ud83d"}', "</document>", "<document>" * 50, "```\n" * 50),
)
"""In every corpus, beside what is drawn."""

TEXTS = st.text(st.characters(codec=None), max_size=60) | st.sampled_from(NASTY)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | TEXTS
KEYS = TEXTS | st.sampled_from([
    *("kind", "answer", "citations", "brief", "split", "children", "goal", "parts", "document"),
    *("type", "properties", "$ref", "allOf", "anyOf", "items", "pattern", "required", "$defs"),
    *("event", "id", "data", "result", "seq", "at", "status", "expects", "query", "text"),
])  # fmt: skip
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=20,
)


def cut(data: bytes, sizes: list[int]) -> list[bytes]:
    """`data` in pieces of these sizes, the last one as long as what is left."""
    pieces, at = [], 0
    for size in sizes:
        pieces.append(data[at : at + size])
        at += size
    return [*pieces, data[at:]]


SIZES = st.lists(st.integers(0, 40), max_size=12)
