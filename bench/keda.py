"""KEDA and the horizontal pod autoscaler as rules over numbers, for `bench.scaling`.

Between 0 and 1 KEDA decides at each poll: up as soon as a metric is above its activation threshold,
down to the minimum of 0 when none has been for the cooldown. Between 1 and the maximum the
autoscaler does, every 15 s: AverageValue metrics ask for ceil(metric / target) replicas, Value
metrics for ceil(replicas * metric / target), neither within 10 % of what is there; the largest wish
counts. Behaviour is the chart's (`banyan.scaling` in helm/banyan/templates/_scaling.tpl): up to
twice as many or 4 more in 15 s, down by a tenth or 1 in 60 s and to no less than was wished for in
the last 300 s.
Sources: KEDA 2.20, pkg/scaling/executor; Kubernetes, "Horizontal Pod Autoscaling".
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

SYNC_S = 15.0
TOLERANCE = 0.1
UP_PERIOD_S, UP_SHARE, UP_PODS = 15.0, 1.0, 4
DOWN_PERIOD_S, DOWN_SHARE, DOWN_PODS, DOWN_WINDOW_S = 60.0, 0.1, 1, 300.0


@dataclass(frozen=True, slots=True)
class Trigger:
    """What is asked, and what is aimed at: for each replica (AverageValue) or in all (Value)."""

    read: Callable[[], float]
    target: float
    kind: Literal["AverageValue", "Value"] = "AverageValue"

    def wish(self, replicas: int) -> int:
        """Replicas that this metric asks for."""
        value = self.read()
        ratio = value / self.target
        if self.kind == "AverageValue":
            ratio /= replicas
        if abs(ratio - 1) <= TOLERANCE:
            return replicas
        return math.ceil(ratio * replicas - 1e-9)


@dataclass(slots=True)
class Scaler:
    """A ScaledObject and its autoscaler. `replicas` is what they want now; times are in seconds."""

    triggers: Sequence[Trigger]
    least: int
    most: int
    polling_s: float
    cooldown_s: float
    replicas: int
    _polled_at: float = -math.inf
    _synced_at: float = -math.inf
    _active_at: float = -math.inf
    _wishes: list[tuple[float, int]] = field(default_factory=list)
    _changes: list[tuple[float, int]] = field(default_factory=list)

    def tick(self, now: float) -> int:
        """What is wanted at `now`, which never goes back."""
        if now - self._polled_at >= self.polling_s:
            self._polled_at = now
            self._poll(now)
        if self.replicas and now - self._synced_at >= SYNC_S:
            self._synced_at = now
            self._sync(now)
        return self.replicas

    def _poll(self, now: float) -> None:
        if any(trigger.read() > 0 for trigger in self.triggers):
            self._active_at = now
            self.replicas = self.replicas or max(1, self.least)
        elif self.least == 0 and self._active_at + self.cooldown_s < now:
            self.replicas = 0
            self._wishes.clear()

    def _sync(self, now: float) -> None:
        wish = max(trigger.wish(self.replicas) for trigger in self.triggers)
        wish = min(self.most, max(wish, self.least, 1))
        self._wishes = [one for one in self._wishes if now - one[0] < DOWN_WINDOW_S]
        self._wishes.append((now, wish))
        wish = max(wish, min(self.replicas, max(one for _, one in self._wishes)))
        if wish > self.replicas:
            started = self._before(now, UP_PERIOD_S)
            wish = min(wish, max(started * 2, started + UP_PODS))
        elif wish < self.replicas:
            started = self._before(now, DOWN_PERIOD_S)
            fewer = max(math.floor(started * DOWN_SHARE), DOWN_PODS)
            wish = max(wish, min(self.replicas, started - fewer))
        if wish != self.replicas:
            self._changes.append((now, wish - self.replicas))
            self.replicas = wish

    def _before(self, now: float, period_s: float) -> int:
        """How many there were when the period began."""
        self._changes = [one for one in self._changes if now - one[0] < DOWN_PERIOD_S]
        return self.replicas - sum(by for at, by in self._changes if now - at < period_s)
