"""House: all of Banyan's processes, with a proxy of ours on every line between two parts.

client ─ service ─ Valkey ─ workers ─ model servers
       1         2        3         4
"""

from __future__ import annotations

import random
import time
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self

import httpx

from banyan.local.ports import LOOPBACK
from banyan.local.probes import is_up
from banyan.local.processes import Child
from bench.chaos.forest import COUNTING, FAN_OUT, Forest, num_claims
from bench.chaos.hints import CommandRewriter, Mischief
from bench.chaos.proxy import Proxy
from bench.chaos.report import Size
from bench.orchestration import Shape
from bench.stack import START_S, Stack, wait_until

LATENCY_S = 0.2
SLOTS = 64
NUM_WORKERS = 2
LEASE_S = 6.0
QUEUED_S = 2.0
ENGINE_TIMEOUT_S = 5.0
WAIT_S = 3_600.0


class House:
    """A `Stack` between proxies. `lease_s` is longer than a worker is ever without a processor.

    `lines` are the proxies by name. What happens to Celery's messages is in `mischief`.
    """

    def __init__(self, *, num_engines: int = 1, lease_s: float = LEASE_S) -> None:
        self.lease_s = lease_s
        self.stack = Stack(
            latency_s=LATENCY_S,
            num_workers=NUM_WORKERS,
            slots=SLOTS,
            lease_s=lease_s,
            queued_s=QUEUED_S,
            num_engines=num_engines,
            engine_options=COUNTING,
            settings={"BANYAN_ENGINE_TIMEOUT_S": str(ENGINE_TIMEOUT_S)},
        )
        self.mischief = Mischief()
        self._opened = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as opened:
            self.lines = self._open_lines(opened)
            self.stack.settings["BANYAN_REDIS_URL"] = _redis(self.lines["service-store"])
            engines = [
                line for name, line in self.lines.items() if name.startswith("worker-engine")
            ]
            self.stack.worker_settings |= {
                "BANYAN_REDIS_URL": _redis(self.lines["worker-store"]),
                "BANYAN_ENGINE_URLS": ",".join(_http(line) for line in engines),
            }
            self.url = _http(self.lines["client-service"])
            opened.enter_context(self.stack)
            self.client = opened.enter_context(httpx.Client(timeout=30.0, trust_env=False))
            self._opened = opened.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._opened.close()

    def _open_lines(self, opened: ExitStack) -> dict[str, Proxy]:
        store, urls = self.stack.valkey.port, self.stack.engine_urls
        rewrite = lambda: CommandRewriter(self.mischief)  # noqa: E731 - one for each connection
        return {
            "client-service": opened.enter_context(Proxy(_port(self.stack.url))),
            "service-store": opened.enter_context(Proxy(store, make_rewrite=rewrite)),
            "worker-store": opened.enter_context(Proxy(store, make_rewrite=rewrite)),
            **{
                f"worker-engine-{index}": opened.enter_context(Proxy(_port(url)))
                for index, url in enumerate(urls)
            },
        }

    def forest(self, size: Size, trees: int, **request: Any) -> Forest:
        """That many trees under way, as many as `size` says where it says so."""
        shape = Shape(fan_out=FAN_OUT, depth=size.depth, latency_s=LATENCY_S)
        forest = Forest(self.stack.url, self.client, shape)
        forest.plant(size.trees or trees, **request)
        return forest

    def calls(self) -> int:
        """That the model servers have got since they were started."""
        return self.stack.engine_stats(self.client)["calls"]

    def wait_calls(self, number: int) -> None:
        """Wait until the model servers have got this many."""
        wait_until(lambda: self.calls() >= number, WAIT_S)

    def wait_working(self, worker: Child) -> None:
        """Wait until this worker takes part, by growing small trees."""
        done = False
        while not done:
            forest = self.forest(Size(trees=1, depth=1), 1)
            forest.harvest(WAIT_S)
            forest.read_events()
            done = num_claims(forest.trees[0], worker.pid) > 0

    def wait_engines(self) -> None:
        """Wait until every model server answers."""
        urls = [f"{url}/health" for url in self.stack.engine_urls]
        wait_until(lambda: all(map(is_up, urls)), START_S)

    def wait_ready(self) -> float:
        """Wait until the service answers again; seconds."""
        began = time.monotonic()
        wait_until(self.stack.is_ready, START_S)
        return time.monotonic() - began


def moments(seed: int, count: int, until: int) -> list[int]:
    """Numbers of calls at which something is to happen, in order, spread over all of them."""
    chance = random.Random(seed)  # noqa: S311 - when it happens is no secret
    return sorted(chance.randrange(until // 20, until * 19 // 20) for _ in range(count))


def _port(url: str) -> int:
    return int(url.rpartition(":")[2])


def _http(line: Proxy) -> str:
    return f"http://{LOOPBACK}:{line.port}"


def _redis(line: Proxy) -> str:
    return f"redis://{LOOPBACK}:{line.port}/0"
