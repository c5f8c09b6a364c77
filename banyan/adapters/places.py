"""Places: how many model calls are in flight at one server; the others wait here, in their order.

A limiter says how many. It hears how calls end, and of the server's load, which is looked up every
`LOOK_S` seconds while calls are in flight, and at the end of a flight while others wait. A call
that may go to several servers waits for all of them and takes the first place that there is.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import structlog

from banyan import signals
from banyan.adapters.load_page import LoadPage
from banyan.adapters.looping import survived
from banyan.adapters.memory_metrics import NoMetrics
from banyan.adapters.no_traces import NoTraces
from banyan.concurrency import Limiter
from banyan.errors import EngineOverloaded
from banyan.ports import Metrics, Traces

LOOK_S = 0.5
LEAST_LOOK_S = 0.05
"""Between two looks, however quick calls are."""

log = structlog.get_logger(__name__)


class Places:
    """Those at one server. There is always one without a `limiter`.

    `page` tells the server's load; without one the limiter goes by what is refused. All methods
    belong to the event loop of the calls. Close it at the end.
    """

    def __init__(
        self,
        name: str,
        limiter: Limiter | None = None,
        page: LoadPage | None = None,
        *,
        metrics: Metrics | None = None,
        traces: Traces | None = None,
        look_s: float = LOOK_S,
    ) -> None:
        self.name = name
        self.metrics = metrics or NoMetrics()
        self.traces = traces or NoTraces()
        self.num_taken = 0
        self._limiter = limiter
        self._page = page
        self._look_s = look_s
        self._waiting: dict[asyncio.Future[Places], None] = {}
        self._flown = asyncio.Event()
        self._looking: asyncio.Task[None] | None = None
        self._tell()

    @property
    def limit(self) -> float:
        """How many calls may be in flight."""
        return math.inf if self._limiter is None else self._limiter.limit

    @property
    def num_waiting(self) -> int:
        """Calls that would take a place here, or where else there is one sooner."""
        return len(self._waiting)

    @property
    def has_room(self) -> bool:
        return self.num_taken < self.limit

    @contextmanager
    def occupied(self) -> Iterator[None]:
        """A place that was taken, until the block ends; the limiter hears how."""
        limiter = self._limiter
        num_cuts = limiter.num_cuts if limiter is not None else 0
        try:
            yield
        except EngineOverloaded:
            if limiter is not None:
                limiter.refused(num_cuts=num_cuts, in_flight=self.num_taken)
                self._tell()
            raise
        else:
            if limiter is not None:
                limiter.ended()
                if limiter.is_flown and self._waiting:
                    self._flown.set()
        finally:
            self.give_back()

    def take(self) -> None:
        """Take a place where there is room."""
        self.num_taken += 1
        is_looking = self._looking is not None and not self._looking.done()
        if self._limiter is not None and not self._limiter.bounds.is_fixed and not is_looking:
            self._looking = asyncio.create_task(self._look_while_taken(), name="concurrency")

    def give_back(self) -> None:
        """A place is free: the first who waits has it."""
        self.num_taken -= 1
        self._hand_out()

    def queue(self, turn: asyncio.Future[Places]) -> None:
        """Resolve `turn` with this when a place was taken for it."""
        self._waiting[turn] = None

    def leave(self, turn: asyncio.Future[Places]) -> None:
        """It waits no longer."""
        self._waiting.pop(turn, None)

    async def close(self) -> None:
        """Stop looking. Calls in flight are their callers' to end."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)
        if self._page is not None:
            await self._page.close()

    def _hand_out(self) -> None:
        while self._waiting and self.has_room:
            turn = next(iter(self._waiting))
            self.leave(turn)
            if not turn.done():
                self.take()
                turn.set_result(self)

    async def _look_while_taken(self) -> None:
        while self.num_taken:
            await asyncio.sleep(min(LEAST_LOOK_S, self._look_s))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._look_s):
                    await self._flown.wait()
            self._flown.clear()
            if not self.num_taken:  # nothing to be said of a server that does nothing for us
                break
            with survived(log.bind(engine=self.name), "load not read", "concurrency", self.metrics):
                await self._look()

    async def _look(self) -> None:
        limiter, before = self._limiter, self.num_taken
        if limiter is None:
            return
        load = await self._page.read() if self._page is not None else None
        in_flight = min(before, self.num_taken)
        limiter.looked(load, in_flight=in_flight, held_back=bool(self._waiting))
        self._tell()
        self._hand_out()

    def _tell(self) -> None:
        if self._limiter is not None:
            self.metrics.put(signals.ENGINE_LIMIT, self._limiter.limit, self.name)


async def place(choices: Sequence[Places]) -> Places:
    """Take a place: at the first server with room, or else where there is one first.

    The time until then is told for the server that has it. Cancelling it leaves nothing behind.
    """
    found = next((places for places in choices if places.has_room), None)
    if found is not None:
        found.take()
        found.metrics.observe(signals.ENGINE_QUEUE_SECONDS, 0.0, found.name)
        return found
    first, loop = choices[0], asyncio.get_running_loop()
    began = loop.time()
    first.metrics.count(signals.ENGINE_WAITING, first.name)
    try:
        with first.traces.wait(signals.AWAIT_PLACE, {signals.ENGINE: first.name}):
            found = await _turn(choices)
    finally:
        first.metrics.count(signals.ENGINE_WAITING, first.name, amount=-1)
    found.metrics.observe(signals.ENGINE_QUEUE_SECONDS, loop.time() - began, found.name)
    return found


async def _turn(choices: Sequence[Places]) -> Places:
    turn: asyncio.Future[Places] = asyncio.get_running_loop().create_future()
    for places in choices:
        places.queue(turn)
    try:
        return await turn
    except asyncio.CancelledError:
        if turn.done() and not turn.cancelled():  # it was given a place in the same moment
            turn.result().give_back()
        raise
    finally:
        for places in choices:
            places.leave(turn)
