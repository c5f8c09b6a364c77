"""Traces keep the format that Perfetto and chrome://tracing read, and what breaks it is found."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
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


def with_an_arrow_twice(trace: Trace) -> None:
    trace["traceEvents"].append(first(trace, "s"))


def with_very_deep_slices(trace: Trace) -> None:
    outer = first(trace, "X") | {"ts": 10**8, "dur": 10**6}
    trace["traceEvents"] += [outer | {"dur": outer["dur"] - depth} for depth in range(520)]


@dataclass(frozen=True)
class Damage:
    """`found` is what our rules say of it; `counter` is what Perfetto 52 counts, if it does."""

    damage: Callable[[Trace], object]
    found: str
    counter: str | None = None


DAMAGES = {
    "no unit": Damage(lambda trace: trace.pop("displayTimeUnit"), "no object"),
    "no phase": Damage(
        lambda trace: first(trace, "X").pop("ph"), "not known", "json_tokenizer_failure"
    ),
    "unknown phase": Damage(lambda trace: first(trace, "X").update(ph="Q"), "not known"),
    "no time": Damage(
        lambda trace: first(trace, "X").pop("ts"), "ts is no int", "json_tokenizer_failure"
    ),
    "time in words": Damage(lambda trace: first(trace, "X").update(ts="soon"), "ts is no int"),
    "time before the start": Damage(
        lambda trace: first(trace, "X").update(ts=-1), "ts is out of range"
    ),
    "part of a microsecond": Damage(lambda trace: first(trace, "X").update(ts=0.5), "ts is no int"),
    "no duration": Damage(
        lambda trace: first(trace, "X").pop("dur"), "dur is no int", "json_parser_failure"
    ),
    "unknown scope": Damage(lambda trace: first(trace, "i").update(s="x"), "without a scope"),
    "lane beyond 32 bits": Damage(
        lambda trace: first(trace, "X").update(tid=2**32), "tid is out of range"
    ),
    "lane of the main thread": Damage(
        lambda trace: first(trace, "X").update(tid=first(trace, "X")["pid"]), "main thread"
    ),
    "empty name": Damage(
        lambda trace: first(trace, "M").update(args={"name": ""}), "no name", "json_parser_failure"
    ),
    "name that is no text": Damage(
        lambda trace: first(trace, "M").update(args={"name": 1}), "no name", "json_parser_failure"
    ),
    "no names": Damage(without_metadata, "has no name"),
    "overlap": Damage(with_a_call_beyond_its_stay, "reaches beyond", "slice_.*overlapping.*"),
    "depth": Damage(with_very_deep_slices, "lies deeper"),
    "arrow without an end": Damage(without_an_end, "does not end"),
    "arrow without a number": Damage(
        lambda trace: first(trace, "s").pop("id"), "id is no int", "flow_invalid_id"
    ),
    "arrow twice": Damage(with_an_arrow_twice, "same number", "flow_duplicate_id"),
    "arrow out of nothing": Damage(
        lambda trace: first(trace, "s").update(tid=9), "in no slice", "flow_no_enclosing_slice"
    ),
    "arrow to what comes next": Damage(
        lambda trace: first(trace, "f").update(bp="x"), "comes next"
    ),
}
"""What breaks a trace, by name."""


async def test_a_tree_that_has_grown_gives_a_trace_of_that_format() -> None:
    grower = Grower()
    tree = await grower.grow("Summarize.", sentences(400))
    tracer = Tracer(tree.created_at)
    entries: list[Any] = tracer.opening()
    async for event in grower.store.events(tree.id):
        entries += tracer.feed(event)

    assert sum(one["ph"] == "s" for one in entries) >= 3
    assert problems_of(whole(entries)) == []


@pytest.mark.parametrize("one", DAMAGES.values(), ids=DAMAGES)
def test_what_breaks_the_format_is_found(one: Damage) -> None:
    trace = whole(traced(DELEGATED))
    assert problems_of(trace) == []
    one.damage(trace)
    assert any(one.found in problem for problem in problems_of(trace)), problems_of(trace)
