"""What `bench.child_starts` reads out of a tree's events."""

from __future__ import annotations

from banyan.tree import Event
from bench.child_starts import spawned_at, starts_ms
from bench.spawn import calls_ms


def events(*happened: tuple[float, str, str]) -> list[Event]:
    return [
        Event(seq=number, type=kind, at=at, data={"node": node})
        for number, (at, kind, node) in enumerate(happened, 1)
    ]


def test_a_child_starts_with_its_first_claim_after_its_parents_spawn() -> None:
    found = starts_ms(
        events(
            (1.0, "node.claimed", "0"),
            (2.0, "node.spawned", "0"),
            (2.004, "node.claimed", "0.1"),
            (2.010, "node.claimed", "0.0"),
            (3.0, "node.spawned", "0.1"),
            (3.002, "node.claimed", "0.1.0"),
            (4.0, "node.claimed", "0.1"),  # its merge
            (5.0, "node.claimed", "0.0"),  # its lease had run out
        )
    )

    assert [round(each) for each in found] == [4, 10, 2]


def test_calls_are_timed_from_the_spawn() -> None:
    happened = events((2.0, "node.spawned", "0"), (2.004, "node.claimed", "0.1"))

    found = calls_ms(spawned_at(happened), [2.006, 2.012])

    assert [round(each) for each in found] == [6, 12]
