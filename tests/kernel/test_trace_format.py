"""Traces keep the format that Perfetto and chrome://tracing read, and what breaks it is found."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from banyan.trace import Tracer
from tests.growing import Grower, sentences
from tests.kernel.test_trace import DELEGATED, traced
from tests.trace_format import problems_of

Trace = dict[str, Any]


def whole(entries: list[dict[str, Any]]) -> Trace:
    return {"displayTimeUnit": "ms", "traceEvents": copy.deepcopy(entries)}


def first(trace: Trace, phase: str) -> dict[str, Any]:
    return next(one for one in trace["traceEvents"] if one["ph"] == phase)


def with_a_call_beyond_its_stay(trace: Trace) -> None:
    call = next(one for one in trace["traceEvents"] if one.get("cat") == "model")
    call["dur"] = 10**9


def without_metadata(trace: Trace) -> None:
    trace["traceEvents"] = [one for one in trace["traceEvents"] if one["ph"] != "M"]


def without_an_end(trace: Trace) -> None:
    trace["traceEvents"].remove(first(trace, "f"))


async def test_a_tree_that_has_grown_gives_a_trace_of_that_format() -> None:
    grower = Grower()
    tree = await grower.grow("Summarize.", sentences(400))
    tracer = Tracer(tree.created_at)
    entries: list[Any] = tracer.opening()
    async for event in grower.store.events(tree.id):
        entries += tracer.feed(event)

    assert sum(one["ph"] == "s" for one in entries) >= 3
    assert problems_of(whole(entries)) == []


@pytest.mark.parametrize(
    ("damage", "found"),
    [
        (lambda trace: trace.pop("displayTimeUnit"), "no object"),
        (lambda trace: first(trace, "X").pop("dur"), "dur is no int"),
        (lambda trace: first(trace, "X").update(ts=-1), "ts is below 0"),
        (lambda trace: first(trace, "X").update(ts=0.5), "ts is no int"),
        (lambda trace: first(trace, "i").update(s="x"), "without a scope"),
        (lambda trace: first(trace, "X").update(ph="Q"), "not known"),
        (with_a_call_beyond_its_stay, "reaches beyond"),
        (without_metadata, "has no name"),
        (without_an_end, "does not end"),
        (lambda trace: first(trace, "s").update(tid=9), "in no slice"),
    ],
)
def test_what_breaks_the_format_is_found(damage: Callable[[Trace], object], found: str) -> None:
    trace = whole(traced(DELEGATED))
    assert problems_of(trace) == []
    damage(trace)
    assert any(found in problem for problem in problems_of(trace)), problems_of(trace)
