"""A model server and those who call it, in virtual time: steps of a batch, as vLLM makes them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from banyan.concurrency import Limiter, Load

LOOK_S = 0.5


@dataclass(slots=True)
class Call:
    """`num_left`: steps until it is answered."""

    caller: Caller
    num_left: int
    num_cuts: int


@dataclass(slots=True)
class Caller:
    """A worker process with a limiter, and as many calls to make as it may."""

    limiter: Limiter
    lengths: Iterator[int]
    """Of its calls, in steps."""
    busy: bool = True
    in_flight: int = 0
    num_answered: int = 0
    looked_at: float = 0.0


@dataclass(slots=True)
class Server:
    """Computes up to `places` calls at one time; the others wait in their order.

    A step takes `step_s(batch)` seconds and gives each call of the batch one token. `room`: how
    many calls may wait before it refuses more; none: all. `tells`: whether it tells its load.
    """

    places: int
    step_s: Callable[[int], float]
    room: int | None = None
    tells: bool = True
    running: list[Call] = field(default_factory=list)
    waiting: deque[Call] = field(default_factory=deque)
    now: float = 0.0
    num_tokens: int = 0
    num_answered: int = 0
    num_refused: int = 0
    is_up: bool = True

    @property
    def load(self) -> Load:
        return Load(len(self.running), len(self.waiting))

    def best(self) -> float:
        """The most tokens a second that it can give."""
        return max(batch / self.step_s(batch) for batch in range(1, self.places + 1))

    def takes(self, call: Call) -> bool:
        """Whether the call is not refused."""
        is_full = len(self.running) >= self.places
        has_no_room = self.room is not None and len(self.waiting) >= self.room
        if not self.is_up or (is_full and has_no_room):
            self.num_refused += 1
            return False
        self.waiting.append(call)
        self._fill()
        return True

    def go_down(self) -> None:
        """Lose all calls, and refuse more until it is up."""
        self.is_up = False
        for call in [*self.running, *self.waiting]:
            call.caller.in_flight -= 1
        self.running.clear()
        self.waiting.clear()

    def step(self) -> None:
        """Compute one token of each call in the batch; nothing for a while where there is none."""
        self.now += self.step_s(max(1, len(self.running)))
        self.num_tokens += len(self.running)
        for call in self.running:
            call.num_left -= 1
        for call in [call for call in self.running if not call.num_left]:
            self.running.remove(call)
            self.num_answered += 1
            call.caller.in_flight -= 1
            call.caller.num_answered += 1
            call.caller.limiter.ended()
        self._fill()

    def _fill(self) -> None:
        while self.waiting and len(self.running) < self.places:
            self.running.append(self.waiting.popleft())


def run(server: Server, callers: list[Caller], seconds: float) -> float:
    """Let time pass; tokens a second meanwhile."""
    until, began, tokens = server.now + seconds, server.now, server.num_tokens
    while server.now < until:
        for caller in callers:
            _send(server, caller)
        for caller in callers:
            _look(server, caller)
        server.step()
    return (server.num_tokens - tokens) / (server.now - began)


def _send(server: Server, caller: Caller) -> None:
    limiter = caller.limiter
    while caller.busy and caller.in_flight < limiter.limit:
        caller.in_flight += 1
        if not server.takes(Call(caller, next(caller.lengths), limiter.num_cuts)):
            limiter.refused(num_cuts=limiter.num_cuts, in_flight=caller.in_flight)
            caller.in_flight -= 1
            return  # it tries again after the next step


def _look(server: Server, caller: Caller) -> None:
    """As the adapter does: now and then, and at the end of a flight."""
    since_s = server.now - caller.looked_at
    if since_s >= LOOK_S or (caller.limiter.is_flown and since_s >= LOOK_S / 10):
        caller.looked_at = server.now
        caller.limiter.looked(
            server.load if server.tells else None,
            in_flight=caller.in_flight,
            held_back=caller.busy,
        )
