"""Proof: whether a replica computes with the weights that it was told to load. Pure.

The trainer's log-probabilities of a short continuation are in the manifest, and the replica's must
agree with them. How well they can agree is not guessed: the live version is measured against itself
on the same replica, and twice that gap is the tolerance, though not less than a floor.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from banyan.errors import NotProved

FLOOR_NATS = 0.1
"""What trainer and engine may differ by where no trained version is live to measure it (ADR 21)."""
_FACTOR = 2.0

Logprobs = Sequence[float]


def gap(one: Logprobs, other: Logprobs) -> float:
    """Mean absolute difference in nats a token. Raises ValueError for different lengths."""
    return fmean(abs(a - b) for a, b in zip(one, other, strict=True))


def tolerance(of_live: Sequence[Logprobs], *, floor: float = FLOOR_NATS) -> float:
    """From measurements of the live version: engine, engine again, and its trainer where there is.

    Nats a token.
    """
    first, *others = of_live
    return max([floor, *(_FACTOR * gap(first, other) for other in others)])


def check(measured: Logprobs, expected: Logprobs, allowed: float) -> float:
    """The gap. Raises NotProved where it is more than `allowed` nats a token, or no number."""
    found = gap(measured, expected)
    if not found <= allowed:  # NaN is not
        raise NotProved(
            f"engine and trainer differ by {found:.4f} nats a token, {allowed:.4f} are allowed"
        )
    return found
