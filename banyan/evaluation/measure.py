"""Measure: what the scores of a set are, how they are shown, and which systems are compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from banyan.evaluation.plan import SERVICE

Unit = Literal["share", "bits_per_byte"]


@dataclass(frozen=True, slots=True)
class Measure:
    """`scale` times a score is shown, with so many digits.

    `less_is_better`: what failed has no score then, since none would be the best of all.
    """

    unit: Unit
    title: str
    scale: float
    digits: int
    less_is_better: bool = False
    reference: str | None = None
    """The system that all others are compared with. None: the service is, with each other one."""

    def show(self, value: float, *, signed: bool = False) -> str:
        """A score or a difference, without its unit."""
        return f"{self.scale * value:{'+' if signed else ''}.{self.digits}f}"

    def pairs(self, systems: Sequence[str]) -> list[tuple[str, str]]:
        """Which systems are compared, each with the one it is compared with."""
        if self.reference is None:
            return [(SERVICE, one) for one in systems if one != SERVICE]
        return [(one, self.reference) for one in systems if one != self.reference]


SHARE = Measure("share", "score, %", 100.0, 1)
BITS_PER_BYTE = Measure(
    "bits_per_byte", "bits per byte", 1.0, 4, less_is_better=True, reference="truncation"
)
MEASURES: dict[Unit, Measure] = {one.unit: one for one in (SHARE, BITS_PER_BYTE)}
