from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from banyan.layouts import HEAD_CHARS, layout_of
from banyan.ports import Part
from banyan.spans import Span, size, subtract
from banyan.splits import split
from banyan.surroundings import surrounded
from tests.documents import layouts
from tests.documents.texts import texts


def divide(
    text: str,
    parts: int,
    *,
    inputs: list[Span] | None = None,
    context: list[Span] | None = None,
    overlap_chars: int = 0,
    max_header_chars: int = 100,
) -> list[Part]:
    spans = inputs or [Span(document="d", start=0, end=len(text))]

    def read(span: Span) -> str:
        return text[span.start : span.end]

    layout = layout_of(text[:HEAD_CHARS])
    return surrounded(
        split(spans, parts, None, read, layout=lambda _: layout),
        [*spans, *(context or [])],
        overlap_chars=overlap_chars,
        max_header_chars=max_header_chars,
        read=read,
        layout=lambda _: layout,
    )


def shown(text: str, part: Part) -> list[str]:
    return [text[span.start : span.end] for span in part.context]


@settings(max_examples=50)
@given(texts, st.integers(1, 9), st.integers(0, 400))
def test_what_is_shown_before_a_part_ends_where_it_begins_and_is_in_the_inputs(
    text: str, parts: int, overlap_chars: int
) -> None:
    whole = Span(document="d", start=0, end=len(text))
    divided = divide(text, parts, overlap_chars=overlap_chars)
    covered = [span for part in divided for span in part.spans]
    assert subtract([whole], covered) == ()
    assert sum(len(span) for span in covered) == len(text)
    for part in divided:
        assert size(part.context) <= overlap_chars + 100
        assert subtract(part.context, [whole]) == ()
        if part.context:
            assert part.context[-1].end == part.spans[0].start
        if overlap_chars == 0:
            assert part.context == ()


def test_overlap_begins_where_a_turn_does() -> None:
    text = layouts.transcript(60)
    first, *others = divide(text, 6, overlap_chars=400)
    assert first.context == ()
    for part in others:
        [before] = shown(text, part)
        assert before.startswith(("Ann Lee: turn", "Bob: turn", "Prof. Ü: turn"))
        assert 200 <= len(before) <= 400


def test_overlap_does_not_reach_into_another_document_or_beyond_what_the_parent_sees() -> None:
    text = "Some words stand here. " * 90
    inputs = [Span(document="a", start=0, end=1_000), Span(document="d", start=500, end=2_000)]
    first, second, third = divide(text, 3, inputs=inputs, overlap_chars=300)
    assert [one.document for one in second.spans] == ["d"]
    assert first.context == second.context == ()
    [before] = third.context
    assert (before.document, before.end) == ("d", third.spans[0].start)
    assert before.start >= 500
    seen = Span(document="d", start=460, end=500)
    [alone] = divide(text, 1, inputs=inputs[1:], context=[seen], overlap_chars=300)
    assert alone.context == (seen,)


def test_every_part_of_a_table_is_given_its_header() -> None:
    text = layouts.table(80)
    first, *others = divide(text, 5)
    assert first.context == ()
    for part in others:
        assert shown(text, part) == ["id,name,text\r\n"]


def test_the_header_is_passed_on_by_who_was_given_it_and_by_nobody_else() -> None:
    text = layouts.table(80)
    *_, last = divide(text, 2)
    inner = divide(text, 3, inputs=[*last.spans], context=[*last.context])
    assert [shown(text, part) for part in inner] == [["id,name,text\r\n"]] * 3
    blind = divide(text, 3, inputs=[*last.spans])
    assert [part.context for part in blind] == [()] * 3


@pytest.mark.parametrize("overlap_chars", [0, 300])
def test_a_header_that_is_too_long_is_left_out_and_the_part_says_so(overlap_chars: int) -> None:
    text = layouts.table(80)
    divided = divide(text, 4, max_header_chars=5, overlap_chars=overlap_chars)
    assert [part.lacks_header for part in divided] == [False, True, True, True]
    assert not any(span.start == 0 for part in divided for span in part.context)
