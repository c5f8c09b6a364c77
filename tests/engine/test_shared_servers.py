"""Worker-like processes that share real servers: each finds by itself how many calls they take."""

from __future__ import annotations

import asyncio
import json
import statistics
import urllib.request
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from banyan.adapters.engine_spec import EngineSpec
from banyan.adapters.engines import make_places, make_replicas
from banyan.adapters.memory_metrics import NoMetrics
from banyan.adapters.no_traces import NoTraces
from banyan.adapters.places import Places
from banyan.concurrency import Load
from banyan.errors import EngineOverloaded
from banyan.ports import Engine, Message
from tests.engine.dialogues import OPTIONS
from tests.fixtures.fake_engine import fake_engine
from tests.fixtures.waiting import until

SERVES = 4
QUICK = ("--serves", str(SERVES), "--latency", "0.1")
"""Slow enough that calls are in the server and not on their way."""
MOST_OF_USE = SERVES + Load(SERVES, 0).spare + 1


class Worker:
    """What a worker process has of the servers, and callers that ask again and again."""

    def __init__(self, urls: Sequence[str], num_callers: int = 32) -> None:
        spec = EngineSpec(kind="openai", urls=tuple(urls))
        self.places: dict[str, Places] = {
            url: make_places(spec, url, "auto", metrics=NoMetrics(), traces=NoTraces())
            for url in urls
        }
        self.engine: Engine = make_replicas(spec, place=lambda _, url: self.places[url])
        self.num_answered = 0
        self.num_asked = 0
        self._stops = False
        self._callers = [asyncio.create_task(self._ask_on(number)) for number in range(num_callers)]

    async def _ask_on(self, number: int) -> None:
        while not self._stops:
            prompt = await self.engine.render([Message("user", f"{number}: {self.num_answered}")])
            self.num_asked += 1
            try:
                await self.engine.complete(prompt, schema=None, max_tokens=32, options=OPTIONS)
                self.num_answered += 1
            except EngineOverloaded:
                await asyncio.sleep(0.02)

    def limit(self, url: str) -> float:
        return self.places[url].limit

    async def stop(self) -> None:
        """Let what was asked be answered."""
        self._stops = True
        await asyncio.gather(*self._callers)
        await self.engine.close()


@asynccontextmanager
async def working(urls: Sequence[str], num_workers: int = 1) -> AsyncIterator[list[Worker]]:
    """Workers that ask until the block ends, and fails where a call did."""
    async with AsyncExitStack() as stack:
        workers = [Worker(urls) for _ in range(num_workers)]
        for worker in workers:
            stack.push_async_callback(worker.stop)
        yield workers


def stats(url: str) -> dict[str, int]:
    with urllib.request.urlopen(f"{url}/stats") as reply:  # noqa: S310 - our own server
        seen: dict[str, int] = json.load(reply)
    return seen


def slow_down(url: str, factor: float) -> None:
    request = urllib.request.Request(  # noqa: S310 - our own server
        f"{url}/slowness", data=str(factor).encode(), method="POST"
    )
    urllib.request.urlopen(request).close()  # noqa: S310


async def test_a_server_gets_what_it_computes_at_one_time_and_little_more() -> None:
    with fake_engine(*QUICK) as url:
        async with working([url]) as [worker]:
            await until(lambda: SERVES <= worker.limit(url) <= MOST_OF_USE)
            await until(lambda: worker.num_answered >= 200)
            await until(lambda: SERVES <= worker.limit(url) <= MOST_OF_USE)

        seen = stats(url)
        assert seen["calls"] == worker.num_answered
        assert seen["max_computing"] == SERVES


async def test_a_server_with_room_gets_more_until_none_wait_here() -> None:
    with fake_engine("--serves", "64", "--latency", "0.02") as url:
        async with working([url], 1) as [worker]:
            await until(lambda: worker.limit(url) >= 32)  # as many as there are callers
            await until(lambda: not worker.places[url].num_waiting)


async def test_a_server_that_slows_down_keeps_its_calls() -> None:
    with fake_engine(*QUICK) as url:
        async with working([url]) as [worker]:
            await until(lambda: worker.num_answered >= 100)
            slow_down(url, 5.0)
            limits = []
            while worker.num_answered < 140:
                await asyncio.sleep(0.02)
                limits.append(worker.limit(url))
            await until(lambda: SERVES <= worker.limit(url) <= MOST_OF_USE)

        assert statistics.median(limits) >= SERVES  # a look between two calls may see it idle


async def test_workers_share_servers_and_together_send_little_more_than_they_take() -> None:
    with fake_engine(*QUICK) as one, fake_engine(*QUICK) as other:
        urls = [one, other]
        async with working(urls, 3) as workers:

            def is_shared(url: str) -> bool:
                limits = [worker.limit(url) for worker in workers]
                return SERVES <= sum(limits) <= MOST_OF_USE + len(limits)

            await until(lambda: all(is_shared(url) for url in urls))
            await until(lambda: all(worker.num_answered >= 40 for worker in workers))

        answered = sum(worker.num_answered for worker in workers)
        assert sum(stats(url)["calls"] for url in urls) == answered
        assert all(stats(url)["max_computing"] == SERVES for url in urls)


async def test_a_server_that_tells_nothing_and_refuses_more_gets_what_it_takes() -> None:
    with fake_engine(*QUICK, "--silent", "--room", "0") as url:
        async with working([url]) as [worker]:
            await until(lambda: worker.num_answered >= 200)
            await until(lambda: SERVES - 1 <= worker.limit(url) <= SERVES + 2)

        assert worker.num_asked == worker.num_answered + stats(url)["refused"]


async def test_a_server_that_neither_tells_nor_refuses_gets_all_calls() -> None:
    with fake_engine("--silent", "--latency", "0.02") as url:
        async with working([url]) as [worker]:
            await until(lambda: worker.limit(url) >= 32)
