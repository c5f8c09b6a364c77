"""What a scenario takes and what it reports."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Size:
    """How much of a scenario is run. `trees` and `faults` of None are the scenario's own."""

    seed: int = 1
    trees: int | None = None
    faults: int | None = None
    depth: int = 5
    """Of trees whose inner nodes have four children each: 5 makes 1,365 nodes."""


@dataclass(slots=True)
class Report:
    """`figures` are what was counted and measured; the oracle's `checks` are what must hold."""

    scenario: str
    seed: int
    figures: dict[str, float | int | str] = field(default_factory=dict)
    checks: dict[str, bool] = field(default_factory=dict)

    @property
    def holds(self) -> bool:
        return all(self.checks.values())

    @property
    def broken(self) -> list[str]:
        """The checks that do not hold, with the figures beside them."""
        return [f"{name}: {self.figures}" for name, held in self.checks.items() if not held]
