"""Nested: prefixes of which some begin others. No token sees what follows it, so the longest do."""

from __future__ import annotations

from collections.abc import Sequence

from training.tiny.vocabulary import Ids

Place = tuple[int, int]
"""A row, and one of its tokens."""


def nested(prefixes: Sequence[Ids]) -> tuple[list[Ids], list[Place]]:
    """The prefixes that begin no other one, longest first, and where each prefix ends in them."""
    wanted = set(prefixes)
    shortest = min(map(len, wanted), default=0)
    rows: list[Ids] = []
    places: dict[Ids, Place] = {}
    for prefix in sorted(wanted, key=len, reverse=True):
        if prefix in places:
            continue
        for length in range(shortest, len(prefix) + 1):
            places.setdefault(prefix[:length], (len(rows), length - 1))
        rows.append(prefix)
    return rows, [places[prefix] for prefix in prefixes]
