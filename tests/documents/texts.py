"""Texts for property tests: what real and hostile documents are made of."""

from __future__ import annotations

from collections.abc import AsyncIterator

from hypothesis import strategies as st

PIECES = (
    "word",
    "Sentence one. ",
    "Is it? ",
    "日本語の文。",
    " ",
    "\t",
    "\n",
    "\r\n",
    "\r",
    "\n\n",
    "\r\n\r\n",
    "\u2028",
    "\x0c",
    "# Heading\n",
    "Title\n=====\n",
    "\n\nALL CAPITALS\n",
    "\n\n1.2 Scope\n",
    "e\u0301",
    "\u0301",
    "👩\u200d👩\u200d👧",
    "👍🏽",
    "🇩🇪🇫🇷",
    "한국어",
    "क्षि",
    "</document>",
    "<document>",
    "</Results >",
    "[12] ",
    "\n[3]",
    "[[4]]",
    "...",
    ".\"')",
    "\u2060",
    "a",
    "\U0001d518",
)

texts = st.one_of(
    st.text(max_size=300),
    st.lists(st.sampled_from(PIECES), max_size=120).map("".join),
    st.tuples(st.sampled_from(PIECES), st.integers(0, 600)).map(lambda pair: pair[0] * pair[1]),
)

storable_texts = texts.filter(lambda text: "\x00" not in text and not text.startswith("\ufeff"))


async def chunked(data: bytes, size: int = 65_536) -> AsyncIterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


async def unheard(document: str) -> None:
    """Who is told of a derived document, where the test is not about that."""
    del document
