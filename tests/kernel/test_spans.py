"""The algebra of spans, against sets of code points."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from banyan.spans import Span, merge, size, subtract

spans = st.lists(
    st.builds(
        lambda document, start, length: Span(document=document, start=start, end=start + length),
        st.sampled_from(["a", "b", "c"]),
        st.integers(0, 40),
        st.integers(0, 15),
    ),
    max_size=12,
)


def points(spans: list[Span] | tuple[Span, ...]) -> set[tuple[str, int]]:
    return {(span.document, at) for span in spans for at in range(span.start, span.end)}


@given(spans)
def test_a_union_holds_the_same_points(taken: list[Span]) -> None:
    assert points(merge(taken)) == points(taken)


@given(spans)
def test_a_union_is_as_few_spans_as_possible_and_none_is_empty(taken: list[Span]) -> None:
    merged = merge(taken)
    assert all(len(span) > 0 for span in merged)
    places = points(merged)
    beginnings = {place for place in places if (place[0], place[1] - 1) not in places}
    assert {(span.document, span.start) for span in merged} == beginnings
    assert len(merged) == len(beginnings)


@given(spans)
def test_a_union_of_a_union_is_itself(taken: list[Span]) -> None:
    assert merge(merge(taken)) == merge(taken)


@given(st.data(), spans)
def test_the_order_of_spans_does_not_matter(data: st.DataObject, taken: list[Span]) -> None:
    assert merge(data.draw(st.permutations(taken))) == merge(taken)


@given(spans)
def test_size_counts_every_point_once(taken: list[Span]) -> None:
    assert size(taken) == len(points(taken))


@given(spans, spans)
def test_a_difference_holds_what_only_the_first_has(whole: list[Span], taken: list[Span]) -> None:
    left = subtract(whole, taken)
    assert points(left) == points(whole) - points(taken)
    assert merge(left) == left


@given(spans, spans)
def test_what_is_taken_and_what_is_left_make_the_whole(
    whole: list[Span], taken: list[Span]
) -> None:
    left = subtract(whole, taken)
    common = subtract(whole, left)
    assert merge([*left, *common]) == merge(whole)
    assert size(left) + size(common) == size(whole)


@given(spans, spans, spans)
def test_taking_twice_is_taking_both(
    whole: list[Span], first: list[Span], second: list[Span]
) -> None:
    assert subtract(subtract(whole, first), second) == subtract(whole, [*first, *second])


@pytest.mark.parametrize(("start", "end"), [(-1, 3), (5, 4)])
def test_a_span_runs_forward_from_zero(start: int, end: int) -> None:
    with pytest.raises(ValidationError):
        Span(document="a", start=start, end=end)


def test_an_empty_span_is_a_span() -> None:
    empty = Span(document="a", start=3, end=3)
    assert empty
    assert len(empty) == 0
