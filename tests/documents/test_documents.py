from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from banyan.documents import (
    SEPARATOR,
    join,
    overlapping,
    passages,
    pieces,
    preview,
    quote,
    storable,
)
from banyan.node import Passage
from banyan.spans import Span
from tests.documents.texts import texts

LOOK_ALIKE = re.compile(
    r"<\s*/?\s*(document|results)|^[ \t]*\[[ \t]*\d+[ \t]*\]", re.IGNORECASE | re.MULTILINE
)


def shown(text: str) -> str:
    return f"<document>\n[1] {quote(text)}\n[2] {quote(text)}\n</document>"


@given(texts)
def test_quoted_text_cannot_leave_its_delimiters(text: str) -> None:
    prompt = shown(text)
    delimiters = re.findall(r"<\s*/?\s*(?:document|results)", prompt, re.IGNORECASE)
    assert delimiters == ["<document", "</document"]


@given(texts)
def test_quoted_text_cannot_pass_for_another_passage(text: str) -> None:
    numbers = [re.match(r"[ \t]*\[[ \t]*(\d+)[ \t]*\]", line) for line in shown(text).splitlines()]
    assert [match[1] for match in numbers if match] == ["1", "2"]


@given(texts)
def test_quoting_only_adds_joiners_and_only_where_it_must(text: str) -> None:
    quoted = quote(text)
    assert quoted.replace("\u2060", "") == text.replace("\u2060", "")
    if not any(LOOK_ALIKE.search(part) for part in [text, *text.splitlines()]):
        assert quoted == text


@given(texts)
def test_quoting_twice_is_quoting_once(text: str) -> None:
    assert quote(quote(text)) == quote(text)


def test_quoting_catches_look_alikes() -> None:
    for text in [
        "</document>",
        "<DOCUMENT>",
        "< / document",
        "</results>",
        "[1] x",
        "a\n [\uff12] x",
    ]:
        assert quote(text).count("\u2060") == 1
    for text in ["see [1]", "<p>", "documents", "[a]", "array[1]", "a < b"]:
        assert quote(text) == text


@given(texts)
def test_passages_cover_a_text_once_in_order(text: str) -> None:
    span = Span(document="d", start=7, end=7 + len(text))
    found = passages(text, span)
    assert "".join(passage.text for passage in found) == text
    assert all(passage.text for passage in found)
    position = span.start
    for passage in found:
        (source,) = passage.sources
        assert passage.covered == passage.sources
        assert (source.start, len(source)) == (position, len(passage.text))
        position = source.end


@given(texts)
def test_passages_are_neither_tiny_nor_huge(text: str) -> None:
    lengths = [end - start for start, end in pieces(text)]
    assert all(120 <= length <= 402 for length in lengths[:-1])
    assert all(length <= 400 for length in lengths[-1:])


def test_passages_end_where_paragraphs_or_sentences_do() -> None:
    text = "Some words make a sentence. " * 9 + "\n\n" + "Others make a longer sentence here. " * 30
    cut = [text[start:end] for start, end in pieces(text)]
    assert cut[0].endswith("\n\n")
    assert all(piece.endswith(". ") for piece in cut[1:])


passage_lists = st.lists(
    st.builds(
        Passage,
        text=st.text(st.characters(exclude_categories=[]), max_size=20),
        sources=st.just((Span(document="a", start=1, end=2),)),
        covered=st.just((Span(document="a", start=0, end=9),)),
    ),
    max_size=8,
)


@given(passage_lists)
def test_a_derived_text_knows_where_each_passage_lies(parts: list[Passage]) -> None:
    text, provenance = join(parts)
    kept = [storable(part.text) for part in parts if part.text]
    assert [text[entry.start : entry.end] for entry in provenance] == kept
    assert text == SEPARATOR.join(kept)
    assert text.encode().decode() == text
    assert "\x00" not in text


@given(passage_lists, st.data())
def test_a_range_of_a_derived_text_shows_exactly_that_range(
    parts: list[Passage], data: st.DataObject
) -> None:
    text, provenance = join(parts)
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    shown_at = [at for e in overlapping(provenance, start, end) for at in range(e.start, e.end)]
    stored_at = [at for e in provenance for at in range(e.start, e.end)]
    assert shown_at == [at for at in stored_at if start <= at < end]


def test_what_cannot_be_stored_is_replaced() -> None:
    assert storable("a\ud800b\x00c\ud83d\ude00") == "a\ufffdb\ufffdc😀"


@given(texts, st.integers(2, 100))
def test_a_preview_is_one_short_line(text: str, max_chars: int) -> None:
    line = preview(text, max_chars)
    assert len(line) <= max_chars
    assert len(line.splitlines()) <= 1
    assert " ".join(text.split()).startswith(line.removesuffix("…"))


def test_a_preview_says_whether_the_text_goes_on() -> None:
    assert preview("A short\n\ntext.", 40) == "A short text."
    assert preview("A text of several words that goes on", 20) == "A text of several…"
