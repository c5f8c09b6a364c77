"""Progress: what an experiment is doing, with the time that is left, on stderr."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from training.experiments.arm import Phase


class ArmProgress:
    """One bar for each arm, seed and phase; called with what `Comparison.run` tells."""

    def __init__(self) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.completed:.0f}/{task.total:.0f}"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
        )
        self._bars: dict[tuple[str, int, Phase], TaskID] = {}

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def __call__(self, arm: str, seed: int, phase: Phase, done: int, total: int) -> None:
        key = (arm, seed, phase)
        if key not in self._bars:
            name = f"{arm}, seed {seed}: {phase}"
            self._bars[key] = self._progress.add_task(name, total=total)
        self._progress.update(self._bars[key], completed=done)
