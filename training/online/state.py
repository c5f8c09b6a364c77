"""State: what a run has done so far, in a file that is written whole or not at all.

A killed run goes on from it: batches are asked for with the same keys, so that the service gives
the trees that it has; an update goes on from its checkpoint; what was measured and published is
found.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from banyan.promotion import Gain
from training.online.errors import BadRun, NoRun, OtherPlan, RunThere
from training.online.plan import Plan

FILE_NAME = "state.json"

Verdict = Literal["live", "verified", "rejected"]
"""What became of a version; `verified` where no replica could take it."""


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Measured(_Model):
    """Mean reward of two sets of weights on the same tasks, and the gain with its 95 % interval."""

    num_tasks: int
    live: float
    candidate: float
    gain: float
    low: float
    high: float

    @classmethod
    def of(cls, live: Sequence[float], candidate: Sequence[float], gain: Gain) -> Self:
        return cls(
            num_tasks=len(live),
            live=sum(live) / len(live),
            candidate=sum(candidate) / len(candidate),
            gain=gain.mean,
            low=gain.low,
            high=gain.high,
        )


class Iteration(_Model):
    """One turn of the loop. `staleness`: updates of the live version since the oldest tree."""

    number: int
    parent: str
    version: str
    verdict: Verdict
    reasons: tuple[str, ...]
    num_trees: int
    num_rows: int
    rollout_reward: float
    staleness: int
    first_loss: float
    last_loss: float
    logprob_gap: float | None
    measured: Measured
    collect_s: float
    update_s: float
    evaluate_s: float
    publish_s: float


class RunState(_Model):
    """`lives`: the versions that were live, the oldest first."""

    format: Literal[1] = 1
    run_id: str
    plan: Plan
    lives: tuple[str, ...]
    iterations: tuple[Iteration, ...] = ()

    def oldest(self, live: str) -> str:
        """The oldest version whose rows may train `live`, by the plan's staleness."""
        known = [*self.lives, *([] if live in self.lives else [live])]
        return known[max(0, known.index(live) - self.plan.max_staleness)]

    def behind(self, version: str, live: str) -> int:
        """How many times the live version has changed since `version` was live."""
        known = [*self.lives, *([] if live in self.lives else [live])]
        return known.index(live) - known.index(version) if version in known else 0


class RunFolder:
    """The folder of one run."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def begin(self, state: RunState) -> RunState:
        """Raises RunThere."""
        if self._file.exists():
            raise RunThere(f"{self.path}: a run was begun there")
        self.save(state)
        return state

    def resume(self, plan: Plan) -> RunState:
        """Raises NoRun, BadRun, and OtherPlan for a plan that is not the run's."""
        try:
            state = RunState.model_validate_json(self._file.read_bytes())
        except FileNotFoundError as error:
            raise NoRun(f"{self.path}: there is no run") from error
        except (OSError, ValidationError) as error:
            raise BadRun(f"{self._file}: {str(error).splitlines()[0]}") from error
        if state.plan != plan:
            was, now = state.plan.model_dump(), plan.model_dump()
            name = next(name for name in was if was[name] != now[name])
            raise OtherPlan(f"{self.path}: {name} was {was[name]}, and is {now[name]}")
        return state

    def save(self, state: RunState) -> None:
        """By a rename, after it has reached the disk."""
        self.path.mkdir(parents=True, exist_ok=True)
        beside = self._file.with_suffix(".part")
        with beside.open("w", encoding="utf-8") as file:
            file.write(state.model_dump_json(indent=1) + "\n")
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self._file)

    @property
    def _file(self) -> Path:
        return self.path / FILE_NAME
