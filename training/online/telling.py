"""Telling: what a run is doing now, with the time that is left; for people and for programs."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Literal, Protocol

Phase = Literal["rollouts", "update", "evaluation", "publication", "turn"]


class Tell(Protocol):
    """Called with the turn of the loop, and how much of its phase is done."""

    def __call__(self, phase: Phase, number: int, done: int, total: int) -> None: ...


class Teller:
    """Says it as lines, at most one in `every_s` seconds for a phase that goes on.

    `num_turns` are the run's, `first` of them the one that it begins with now.
    """

    def __init__(
        self,
        write: Callable[[str], None],
        *,
        num_turns: int,
        first: int,
        as_json: bool = False,
        every_s: float = 5.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._write = write
        self._num_turns = num_turns
        self._first = first
        self._as_json = as_json
        self._every_s = every_s
        self._clock = clock
        self._began = clock()
        self._num_done = 0
        self._done_at = self._began
        self._said: dict[tuple[Phase, int], float] = {}

    def __call__(self, phase: Phase, number: int, done: int, total: int) -> None:
        if phase == "turn":
            self._num_done, self._done_at = number + 1 - self._first, self._clock()
        now, key = self._clock(), (phase, number)
        if done < total and now - self._said.get(key, float("-inf")) < self._every_s:
            return
        self._said[key] = now
        left_s = self.left_s()
        if self._as_json:
            fields = {"event": phase, "turn": number + 1, "turns": self._num_turns}
            self._write(json.dumps({**fields, "done": done, "total": total, "eta_s": left_s}))
            return
        left = "" if left_s is None else f"   {left_s / 60:.0f} min left"
        what = "done" if phase == "turn" else f"{phase} {done}/{total}"
        self._write(f"turn {number + 1}/{self._num_turns}  {what}{left}")

    def left_s(self) -> float | None:
        """Seconds, by the mean of the turns that are done; None before the first."""
        if not self._num_done:
            return None
        mean_s = (self._done_at - self._began) / self._num_done
        left = self._num_turns - self._first - self._num_done
        return round(max(0.0, left * mean_s - (self._clock() - self._done_at)), 1)
