"""The trace of a tree: who had which slot when, and what waited, from the events alone."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise
from typing import Any

from pydantic import JsonValue

from banyan.trace import QUEUE, SLOTS, Tracer
from banyan.tree import Event
from tests.growing import Grower, sentences

T0 = 1_000.0


def story(*told: tuple[float, str, dict[str, JsonValue]]) -> list[Event]:
    """Events from (seconds since the start, type, data)."""
    return [
        Event(seq=seq, type=kind, at=T0 + at, data=data)
        for seq, (at, kind, data) in enumerate(told, 1)
    ]


def traced(events: list[Event]) -> list[dict[str, Any]]:
    tracer = Tracer(T0)
    entries = tracer.opening()
    for event in events:
        entries += tracer.feed(event)
    return entries + tracer.closing(events[-1].at)


def slices(entries: list[dict[str, Any]], category: str) -> dict[str, tuple[int, int, int]]:
    """Lane, start and end by name."""
    return {
        one["name"]: (one["tid"], one["ts"], one["ts"] + one["dur"])
        for one in entries
        if one["ph"] == "X" and one["cat"] == category
    }


def node(path: str, **data: JsonValue) -> dict[str, JsonValue]:
    return {"node": path, **data}


DELEGATED = story(
    (0.0, "tree.admitted", {}),
    (1.0, "node.claimed", node("0", worker="w", epoch=1)),
    (3.0, "node.turn", node("0", seconds=1.5, kind="delegate", score=2.0)),
    (3.0, "node.spawned", node("0", children=2)),
    (4.0, "node.claimed", node("0.0", worker="w", epoch=1)),
    (5.0, "node.claimed", node("0.1", worker="w", epoch=1)),
    (6.0, "node.turn", node("0.0", seconds=2.0, kind="answer")),
    (6.0, "node.finished", node("0.0", status="ok")),
    (7.0, "node.finished", node("0.1", status="failed")),
    (9.0, "node.claimed", node("0", worker="w", epoch=2)),
    (10.0, "node.finished", node("0", status="ok")),
    (10.0, "tree.finished", {"status": "partial"}),
)


def test_nodes_that_run_at_one_time_have_lanes_of_their_own() -> None:
    stays = slices(traced(DELEGATED), "node")
    assert stays["node 0.0"] == (1, 4_000_000, 6_000_000)
    assert stays["node 0.1"] == (2, 5_000_000, 7_000_000)
    assert stays["node 0"] == (1, 9_000_000, 10_000_000)


def test_queue_time_stands_apart_from_model_time() -> None:
    entries = traced(DELEGATED)
    assert slices(entries, "queue")["0.1 waits"][1:] == (3_000_000, 5_000_000)
    assert slices(entries, "queue")["0 waits"][1:] == (7_000_000, 9_000_000)
    assert slices(entries, "model")["model: delegate"] == (1, 1_500_000, 3_000_000)
    places = {one["cat"]: one["pid"] for one in entries if one["ph"] == "X"}
    assert places == {"node": SLOTS, "model": SLOTS, "queue": QUEUE}


def test_arrows_lead_from_a_parents_stay_into_its_childrens() -> None:
    entries = traced(DELEGATED)
    starts = {one["id"]: one for one in entries if one["ph"] == "s"}
    ends = {one["id"]: one for one in entries if one["ph"] == "f"}
    assert starts.keys() == ends.keys()
    assert {(one["tid"], one["ts"]) for one in ends.values()} == {(1, 4_000_000), (2, 5_000_000)}
    assert all(1_000_000 <= one["ts"] < 3_000_000 for one in starts.values())
    # Readers keep the order of equal times: what an arrow ends in must be there before it.
    for arrow in ends.values():
        stay = next(
            index
            for index, one in enumerate(entries)
            if one["ph"] == "X" and (one["tid"], one["ts"]) == (arrow["tid"], arrow["ts"])
        )
        assert stay < entries.index(arrow)


def test_a_node_that_was_lost_waits_again() -> None:
    entries = traced(
        story(
            (0.0, "tree.admitted", {}),
            (1.0, "node.claimed", node("0", worker="dead", epoch=1)),
            (4.0, "node.requeued", node("0", reason="lease_expired")),
            (6.0, "node.claimed", node("0", worker="w", epoch=3)),
        )
    )
    stays = [one for one in entries if one["ph"] == "X" and one["cat"] == "node"]
    assert [(one["ts"], one["dur"]) for one in stays] == [(1_000_000, 3_000_000), (6_000_000, 1)]
    assert stays[0]["args"]["requeued"] == "lease_expired"
    assert stays[1]["args"]["running"] is True
    assert slices(entries, "queue")["0 waits"][1:] == (4_000_000, 6_000_000)


def test_what_runs_again_after_a_resume_waits_from_the_resume_on() -> None:
    entries = traced(
        [
            *DELEGATED,
            *story(
                (20.0, "tree.resumed", {"generation": 2}),
                (22.0, "node.claimed", node("0.1", worker="w", epoch=3)),
                (23.0, "node.finished", node("0.1", status="ok")),
            ),
        ]
    )
    assert slices(entries, "queue")["0.1 waits"][1:] == (20_000_000, 22_000_000)


async def test_slices_of_a_grown_tree_nest_and_never_overlap() -> None:
    grower = Grower()
    tree = await grower.grow("Summarize.", sentences(400))
    events = [event async for event in grower.store.events(tree.id)]
    tracer = Tracer(tree.created_at)
    entries = [entry for event in events for entry in tracer.feed(event)]
    assert tracer.closing(events[-1].at) == []
    stays, calls = defaultdict(list), []
    for entry in entries:
        if entry["ph"] != "X":
            continue
        one: Any = entry
        span = (one["tid"], one["ts"], one["ts"] + one["dur"])
        if one["cat"] == "model":
            calls.append(span)
        else:
            stays[one["pid"], one["tid"]].append(span)
    assert len(calls) > 3
    for lane in stays.values():
        assert all(end <= start for (_, _, end), (_, start, _) in pairwise(sorted(lane)))
    for lane, start, end in calls:
        assert any(begin <= start and end <= last for _, begin, last in stays[SLOTS, lane])
