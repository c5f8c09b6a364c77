"""The oracle itself: it sees what is wrong, and only that."""

from __future__ import annotations

import pytest

from banyan.client.results import StreamEvent
from bench.chaos.forest import faults_in, stale_writes

WHOLE = (
    *("tree.admitted",),
    *("node.claimed", "node.turn", "node.spawned"),
    *("node.claimed", "node.requeued", "node.claimed", "node.turn", "node.finished"),
    *("tree.finished",),
)


def events(*kinds: str) -> list[StreamEvent]:
    """Events of a tree of one node."""
    return [
        StreamEvent(seq=seq, type=kind, data={"node": "0"} if kind.startswith("node.") else {})
        for seq, kind in enumerate(kinds, start=1)
    ]


def test_a_whole_tree_has_no_faults() -> None:
    assert faults_in(events(*WHOLE), 1) == 0


@pytest.mark.parametrize("doubled", [3, 8])
def test_an_effect_that_came_twice_is_seen(doubled: int) -> None:
    kinds = list(WHOLE)
    kinds.insert(doubled, kinds[doubled])
    assert faults_in(events(*kinds), 1) > 0


@pytest.mark.parametrize("missing", range(1, 9))
def test_an_event_that_is_missing_is_seen(missing: int) -> None:
    there = events(*WHOLE)
    del there[missing]
    assert faults_in(there, 1) > 0


def test_a_node_that_never_ended_is_seen() -> None:
    assert faults_in(events(*WHOLE), 2) == 1


@pytest.mark.parametrize("write", ["node.turn", "node.spawned", "node.finished", "node.requeued"])
def test_a_write_after_the_lease_is_stale(write: str) -> None:
    assert stale_writes(["node.claimed", "node.requeued", write, "node.claimed"]) == 1
