"""Stations: which replica should have which full weights. Pure.

None stands for the weights that the servers were started with.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

Weights = str | None


def plan(
    current: Mapping[str, Weights], *, main: Weights, others: Sequence[Weights]
) -> dict[str, Weights]:
    """A version for each replica: one of `main` at least, one of each other while there are enough.

    `others` are in the order of their claim. Replicas keep what they have where they can.
    """
    planned: dict[str, Weights] = {}
    free = sorted(current)
    for version in dict.fromkeys(others):
        if version == main or len(free) < 2:
            continue
        # A replica that has it; else one that would be changed anyway; main's own come last.
        chosen = min(free, key=lambda name: (current[name] != version, current[name] == main, name))
        planned[chosen] = version
        free.remove(chosen)
    return {**planned, **dict.fromkeys(free, main)}
