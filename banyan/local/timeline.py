"""Timeline: how long each stage of the demo took, for the reader to see what is slow."""

from __future__ import annotations

import time


class Timeline:
    """Told what happens as it happens; all figures are seconds."""

    def __init__(self, setup_s: float | None) -> None:
        self._setup_s = setup_s
        self._began = time.monotonic()
        self._at: dict[str, float] = {}

    def step(self, part: str, state: str) -> None:
        """A part of the all-in-one says how it is."""
        self._once(f"{part} {state}")

    def ready(self) -> None:
        """Everything is up."""
        self._once("ready")

    def asked(self) -> None:
        """The document is stored; the question goes out."""
        self._once("asked")

    def saw(self, event_type: str) -> None:
        """An event of the tree has arrived."""
        self._once(event_type)

    def answered(self) -> None:
        """The result has arrived."""
        self._once("answered")

    def rows(self) -> list[tuple[str, float]]:
        """Stages and their seconds; a stage that was not reached has no row."""
        rows = [] if self._setup_s is None else [("set-up", self._setup_s)]
        at = {"began": self._began, **self._at}
        for name, start, end in (
            ("engine start", "began", "engine up"),
            ("everything ready", "began", "ready"),
            ("engine up to first node", "engine up", "node.claimed"),
            ("first node ended after", "asked", "node.finished"),
            ("answer after", "asked", "answered"),
        ):
            if start in at and end in at:
                rows.append((name, max(0.0, at[end] - at[start])))
        if "answered" in at:
            rows.append(("from the start", at["answered"] - self._began + (self._setup_s or 0.0)))
        return rows

    def _once(self, name: str) -> None:
        self._at.setdefault(name, time.monotonic())
