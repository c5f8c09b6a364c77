"""Cuts at given places: nothing is lost, nothing is cut elsewhere."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from banyan.spans import Place, Span, size
from banyan.splits import split_at

LENGTHS = st.lists(st.integers(1, 30), min_size=1, max_size=4)


def inputs_of(lengths: list[int]) -> list[Span]:
    return [Span(document=f"d{n}", start=5, end=5 + length) for n, length in enumerate(lengths)]


@given(LENGTHS, st.data())
def test_parts_are_the_inputs_cut_before_each_place(
    lengths: list[int], data: st.DataObject
) -> None:
    inputs = inputs_of(lengths)
    inside: list[Place] = [(one.document, at) for one in inputs for at in range(one.start, one.end)]
    chosen = data.draw(st.sets(st.sampled_from(inside)))
    parts = split_at(inputs, [place for place in inside if place in chosen])

    first = (inputs[0].document, inputs[0].start)
    assert [(part[0].document, part[0].start) for part in parts] == [
        place for place in inside if place in chosen | {first}
    ]
    flat = [
        (one.document, at) for part in parts for one in part for at in range(one.start, one.end)
    ]
    assert flat == inside
    assert all(size(part) > 0 for part in parts)


def test_nothing_is_cut_into_nothing() -> None:
    assert split_at([], []) == []
