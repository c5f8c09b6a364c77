"""Concurrency: how many calls may be in flight at one model server. No clock, no I/O.

What is sought is the least number of calls that keeps the server busy: with fewer it idles, with
more they wait inside it. A server that tells how many of its calls wait says this itself, however
slow it is and however long the calls are, so that the limit follows its queue and no times:

- No more wait than are of use (`Load.spare`), and calls are held back here: the limit grows,
  twofold until the server was full for the first time, then by a step (`Load.step`), and by more
  after several times in a row.
- More have waited during a whole flight (as many calls as the limit have ended): the limit shrinks
  by the factor by which the server has too many. A queue that comes and goes within a flight is a
  burst, and no reason (Nichols and Jacobson, Controlling Queue Delay, 2012).

Limiters of several processes add alike and shrink by the same factor, which brings their limits
together (Chiu and Jain, Analysis of the Increase and Decrease Algorithms, 1989).

A server that tells nothing is followed by the calls that it refuses as too many (429, 503): the
limit shrinks by a tenth, and grows after each flight without one. One that neither tells nor
refuses gets all calls that there are.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

SPARE_PART = 8
"""One waiting call for so many that run: the next one for a place that falls free."""
STEP_PART = 4
"""Of the spare calls: all who send grow by the same, and with a large server by more."""
LEAST_LOOKS = 3
"""At the server's queue, before it is taken to be standing."""
LEAST_FACTOR = 0.5
"""Of one flight: a look that erred costs no more than half."""
REFUSED_FACTOR = 0.9
CALM_CALLS = 16
"""To be answered at least before a limit that was refused grows: one call in so many is refused."""
RAISES_PER_DOUBLING = 4
"""After so many raises in a row the step is twice as large."""
SEEN_SHARE = 0.75
"""Of the calls in flight here: a server that tells of fewer has not counted the newest yet, so that
the limit does not double. Nor does it behind one address of several servers, of which one tells."""


@dataclass(frozen=True, slots=True)
class Load:
    """Calls that a server computes and calls that wait in it, whoever sent them."""

    running: int
    waiting: int

    @property
    def spare(self) -> int:
        """How many waiting calls are of use."""
        return max(1, self.running // SPARE_PART)

    @property
    def is_full(self) -> bool:
        return self.waiting > self.spare

    @property
    def factor(self) -> float:
        """By which all who send would have to shrink, so that half of `spare` wait."""
        return (self.running + self.spare / 2) / (self.running + self.waiting)

    @property
    def step(self) -> int:
        """By how many calls one who sends may grow."""
        return max(1, self.spare // STEP_PART)


@dataclass(frozen=True, slots=True)
class Bounds:
    """Calls in flight: at first, at the least and at the most."""

    start: int = 8
    least: int = 1
    most: int = 10_000

    @classmethod
    def fixed(cls, limit: int) -> Bounds:
        """A limit that never moves."""
        return cls(limit, limit, limit)

    @property
    def is_fixed(self) -> bool:
        return self.least == self.most


class Limiter:
    """The limit of one process at one server. It is told what happens, in the order of time."""

    def __init__(self, bounds: Bounds | None = None) -> None:
        self.bounds = bounds or Bounds()
        self.num_cuts = 0
        """For calls that were sent before the last cut, and say nothing about the limit now."""
        self._size = float(self.bounds.start)
        """With its fraction, so that small limits shrink by the same factor as large ones."""
        self._full_at = math.inf
        """The size at which the server was last full; below it the limit doubles."""
        self._num_raises = 0
        self._num_left = self.bounds.start
        self._num_looks = 0
        self._shortest: Load | None = None
        """With the fewest waiting calls of the flight."""

    @property
    def limit(self) -> int:
        """How many calls may be in flight."""
        return int(self._size)

    @property
    def is_flown(self) -> bool:
        """Whether as many calls as the limit have ended since the flight began."""
        return self._num_left <= 0

    def ended(self) -> None:
        """A call was answered."""
        self._num_left -= 1

    def looked(self, load: Load | None, *, in_flight: int, held_back: bool) -> None:
        """The server was looked at; it tells nothing where `load` is None.

        `in_flight`: calls that it had from here at that time. `held_back`: others wait here.
        """
        if load is None:
            is_known = self._size >= self._full_at
            if self._num_left <= (min(0, self.limit - CALM_CALLS) if is_known else 0):
                self._begin_flight()
                if held_back:
                    self._raise(1, may_double=True)
            return
        self._num_looks += 1
        if self._shortest is None or load.waiting < self._shortest.waiting:
            self._shortest = load
        if load.is_full:
            self._full_at = min(self._full_at, self._size)
            self._num_raises = 0
        standing = self._shortest
        if self.is_flown and self._num_looks >= LEAST_LOOKS:
            self._begin_flight()
            if standing.is_full:
                self._shrink(max(LEAST_FACTOR, standing.factor))
                return
        if held_back and not load.is_full:
            counts_ours = load.running + load.waiting >= SEEN_SHARE * in_flight
            self._raise(load.step, may_double=counts_ours)

    def refused(self, *, num_cuts: int, in_flight: int) -> None:
        """The server has too many calls, it says to one that was sent when `num_cuts` was this.

        `in_flight` counts that call. One that is refused although it was the only one is no matter
        of concurrency: the server is not up, and what was known of it is forgotten.
        """
        if num_cuts != self.num_cuts:
            return
        self._size = min(self._size, float(in_flight))
        self._shrink(REFUSED_FACTOR)
        if in_flight <= 1:
            self._full_at = math.inf

    def _shrink(self, factor: float) -> None:
        self._size = self._full_at = max(float(self.bounds.least), self._size * factor)
        self._num_raises = 0
        self.num_cuts += 1
        self._begin_flight()

    def _raise(self, step: int, *, may_double: bool) -> None:
        grown = self._size + step * 2 ** (self._num_raises // RAISES_PER_DOUBLING)
        if may_double and self._size < self._full_at:
            grown = self._full_at
        self._num_raises += 1
        self._size = min(grown, 2 * self._size, float(self.bounds.most))

    def _begin_flight(self) -> None:
        self._num_left = self.limit
        self._num_looks = 0
        self._shortest = None
