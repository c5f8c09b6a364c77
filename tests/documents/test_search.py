from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from banyan.adapters.search import MAX_PASSAGE_CHARS, WINDOW_CHARS, compile_query, find
from banyan.errors import InvalidInput
from banyan.node import Passage
from banyan.ports import Library
from banyan.spans import Span
from tests.documents.test_library import put_whole
from tests.documents.texts import texts, unheard

FILLER = "Nothing of interest stands here. "


async def search(
    library: Library, text: str, query: str, *, regex: bool = False, limit: int = 20
) -> tuple[Passage, ...]:
    whole = await put_whole(library, text)
    return await library.search("t", [whole], query, regex=regex, limit=limit)


async def test_a_literal_is_found_in_any_case_with_its_surroundings(library: Library) -> None:
    text = FILLER * 50 + "The Notice Period is 30 days. " + FILLER * 50
    (found,) = await search(library, text, "notice period")
    assert "The Notice Period is 30 days." in found.text
    assert len(found.text) < 500
    (source,) = found.sources
    assert text[source.start : source.end] == found.text
    assert found.covered == found.sources


async def test_a_literal_is_found_across_a_line_break(library: Library) -> None:
    (found,) = await search(
        library, "which obligations survive\n  termination of it", "survive termination"
    )
    assert "survive\n  termination" in found.text


async def test_a_literal_means_its_characters(library: Library) -> None:
    assert await search(library, "a+b costs $5 (net)", "$5 (NET)") != ()
    assert await search(library, "a+b costs $5 (net)", "a.b") == ()


async def test_an_expression_matches_lines_and_words(library: Library) -> None:
    text = "alpha 1\n" + FILLER * 40 + "\nbeta 22\n" + FILLER * 40 + "\nalphabet 3\n"
    found = await search(library, text, r"^(alpha|beta)\b \d+$", regex=True)
    assert len(found) == 2
    assert "alpha 1\n" in found[0].text
    assert "\nbeta 22\n" in "\n" + found[1].text


@pytest.mark.parametrize(
    ("query", "regex"),
    [("(", True), ("a{2000}", True), (r"(a)\1", True), ("(?=x)", True), ("  ", False), ("", True)],
)
async def test_a_query_that_cannot_be_searched_is_refused(
    library: Library,
    query: str,
    regex: bool,
) -> None:
    with pytest.raises(InvalidInput):
        await search(library, "some text", query, regex=regex)


async def test_a_bad_expression_is_explained(library: Library) -> None:
    with pytest.raises(InvalidInput, match=r"missing \)"):
        await search(library, "text", "(open", regex=True)


async def test_a_query_has_a_bounded_length(library: Library) -> None:
    assert await search(library, "text", "x" * 1_000) == ()
    with pytest.raises(InvalidInput, match="1000"):
        await search(library, "text", "x" * 1_001)


async def test_there_are_at_most_as_many_passages_as_asked_for(library: Library) -> None:
    text = ("needle. " + FILLER * 20) * 30
    found = await search(library, text, "needle", limit=7)
    assert len(found) == 7
    assert [p.sources[0].start for p in found] == sorted(p.sources[0].start for p in found)


async def test_close_matches_become_one_passage_of_bounded_length(library: Library) -> None:
    (few,) = await search(
        library, FILLER * 20 + "needle, needle and needle. " + FILLER * 20, "needle"
    )
    assert few.text.count("needle") == 3
    found = await search(library, "needle " * 3_000, "needle")
    assert len(found) == 20
    assert all(len(passage.text) <= MAX_PASSAGE_CHARS for passage in found)
    for left, right in pairwise(found):
        assert left.sources[0].end <= right.sources[0].start


async def test_only_the_inputs_are_searched(library: Library) -> None:
    text = "secret one. " + FILLER * 50 + "secret two. " + FILLER * 50 + "secret three."
    whole = await put_whole(library, text)
    middle = Span(document=whole.document, start=12, end=len(text) - 13)
    (found,) = await library.search("t", [middle], "secret", regex=False, limit=9)
    assert "secret two" in found.text
    edge = Span(document=whole.document, start=0, end=text.index("two") + 1)
    hits = await library.search("t", [edge], "secret two", regex=False, limit=9)
    assert hits == ()


async def test_inputs_are_searched_in_their_order(library: Library) -> None:
    first = await put_whole(library, "the key is red")
    second = await put_whole(library, "the key is blue")
    found = await library.search("t", [second, first], "key", regex=False, limit=9)
    assert [passage.text for passage in found] == ["the key is blue", "the key is red"]


async def test_a_hit_in_a_derived_document_is_the_passage_with_its_sources(
    library: Library,
) -> None:
    passages = [
        Passage(text=text, sources=(Span(document="o", start=n, end=n + 1),), covered=())
        for n, text in enumerate(["Red fox.", "Blue whale.", "Green frog."])
    ]
    span = await library.derive("t", "n", passages, announce=unheard)
    assert await library.search("t", [span], "whale", regex=False, limit=5) == (passages[1],)


@pytest.mark.parametrize("offset", [-6, -3, 0, 1])
async def test_a_match_is_found_once_wherever_the_windows_meet(
    library: Library, offset: int
) -> None:
    at = WINDOW_CHARS + offset
    text = "." * at + "needle" + "." * 100
    (found,) = await search(library, text, "needle")
    assert found.text.count("needle") == 1
    assert await search(library, text, r"\bneedle\b", regex=True) != ()
    assert await search(library, "x" * at + "needle", r"\bneedle", regex=True) == ()


@given(
    texts, st.sampled_from(["a", "word", r"\s+", r"[^a]{2,9}", r"(?s).+", r"(?i)SENT\w+", r"\b"])
)
def test_hits_show_their_matches_in_order_without_overlap(text: str, query: str) -> None:
    span = Span(document="d", start=0, end=len(text))
    matcher = compile_query(query, regex=True)
    hits = find([span], matcher, lambda s: text[s.start : s.end], 1_000)
    position = 0
    for hit in hits:
        assert position <= hit.shown.start < hit.shown.end <= len(text)
        assert hit.shown.end - hit.shown.start <= MAX_PASSAGE_CHARS
        position = hit.shown.end
    for start, _ in matcher(text, 0):
        assert any(hit.shown.start <= start < hit.shown.end for hit in hits)


def test_a_hostile_expression_takes_linear_time() -> None:
    text = "a" * 300_000
    matcher = compile_query(r"(a+)+$x|(a|aa)+b", regex=True)
    span = Span(document="d", start=0, end=len(text))
    assert find([span], matcher, lambda s: text[s.start : s.end], 10) == []
