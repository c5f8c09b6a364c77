from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from banyan.citations import MAX_QUOTE_CHARS, Citation, coverage, resolve, stands
from banyan.spans import Span, size

TEXTS = {"a": "The term ends in May. It may be renewed.", "b": "x" * 5_000}


async def read(span: Span) -> str:
    return TEXTS[span.document][span.start : span.end]


def span(document: str, start: int, end: int) -> Span:
    return Span(document=document, start=start, end=end)


spans = st.lists(
    st.builds(
        lambda document, start, length: span(document, start, start + length),
        st.sampled_from("ab"),
        st.integers(0, 50),
        st.integers(0, 30),
    ),
    max_size=8,
)


async def test_citations_carry_the_words_of_the_document_once_and_in_order() -> None:
    cited = [span("a", 22, 40), span("a", 0, 21), span("a", 22, 40), span("a", 5, 5)]
    assert await resolve(cited, read) == (
        Citation(document="a", start=22, end=40, quote="It may be renewed."),
        Citation(document="a", start=0, end=21, quote="The term ends in May."),
    )


async def test_a_long_citation_is_quoted_from_its_beginning() -> None:
    (citation,) = await resolve([span("b", 0, 5_000)], read)
    assert citation.quote == "x" * MAX_QUOTE_CHARS
    assert citation.end == 5_000
    assert await stands(citation, read)


async def test_a_quote_that_is_not_in_the_document_does_not_stand() -> None:
    (citation,) = await resolve([span("a", 0, 8)], read)
    assert await stands(citation, read)
    assert not await stands(citation.model_copy(update={"quote": "The terms"}), read)
    assert not await stands(citation.model_copy(update={"start": 1, "end": 9}), read)


def test_coverage_says_what_was_read_and_what_is_missing() -> None:
    inputs = [span("a", 0, 40), span("b", 0, 60)]
    covered = [span("a", 0, 30), span("a", 20, 40), span("b", 10, 40), span("c", 0, 99)]
    report = coverage(inputs, covered, 0.25)
    assert report.share == 0.7
    assert (report.read_tokens, report.total_tokens) == (18, 25)
    assert report.missing == (span("b", 0, 10), span("b", 40, 60))


def test_where_there_is_nothing_to_read_all_of_it_was_read() -> None:
    assert coverage([span("a", 4, 4)], [], 0.3).share == 1.0


@given(spans, spans)
def test_what_was_read_and_what_is_missing_add_up(inputs: list[Span], covered: list[Span]) -> None:
    report = coverage(inputs, covered, 1.0)
    assert report.read_tokens + size(report.missing) == report.total_tokens == size(inputs)
    assert size([*report.missing, *covered]) == size(report.missing) + size(covered)
    assert (report.share == 1.0) == (not report.missing)
