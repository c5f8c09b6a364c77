"""Memory of all of a stack's processes, and of what Redis keeps, while something else runs."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psutil
from redis import Redis

from bench.sampler import Sampler
from bench.stack import Stack

MIB = 1024 * 1024


class Watch(Sampler):
    """Samples every `every_s` seconds, on a thread of its own, until the block ends."""

    def __init__(self, stack: Stack, every_s: float = 2.0) -> None:
        super().__init__(every_s)
        self.stack = stack
        self.samples: dict[str, list[float]] = {}
        """By process, and `redis data`: MiB, in the order of time."""

    @contextmanager
    def looking(self) -> Iterator[Callable[[], None]]:
        pids = {"service": self.stack.service.pid, "valkey": self.stack.valkey.pid}
        pids |= {worker.name: worker.pid for worker in self.stack.workers}
        with Redis.from_url(self.stack.valkey.url) as redis:

            def look() -> None:
                for name, pid in pids.items():
                    self._note(name, psutil.Process(pid).memory_info().rss)
                self._note("redis data", data_bytes(redis))

            yield look

    def _note(self, name: str, num_bytes: float) -> None:
        self.samples.setdefault(name, []).append(num_bytes / MIB)

    def table(self) -> str:
        """Each process: MiB at the start, at the median of each third, and at the most."""
        minutes = max(map(len, self.samples.values()), default=0) * self.every_s / 60
        lines = [f"MiB over {minutes:.1f} min   first   thirds                 most"]
        for name, values in self.samples.items():
            thirds = [statistics.median(part) for part in _thirds(values)]
            shown = "  ".join(f"{value:6.1f}" for value in thirds)
            lines.append(f"{name:17} {values[0]:6.1f}   {shown}   {max(values):6.1f}")
        return "\n".join(lines)


def data_bytes(redis: Redis) -> float:
    """What the server's data take, without its own buffers."""
    return float(redis.info("memory")["used_memory_dataset"])


def settled_bytes(redis: Redis, within_s: float = 30.0) -> float:
    """`data_bytes` once freed memory has been given back in the background: the least seen."""
    least, deadline = data_bytes(redis), time.monotonic() + within_s
    while time.monotonic() < deadline and redis.info("memory").get("lazyfree_pending_objects", 0):
        time.sleep(0.2)
        least = min(least, data_bytes(redis))
    return min(least, data_bytes(redis))


def tree_bytes(redis: Redis, tree_id: str) -> int:
    """What all keys of a tree take, its events among them."""
    keys = redis.scan_iter(f"*{tree_id}*", count=1_000)
    return sum(redis.memory_usage(key, samples=0) or 0 for key in keys)


def _thirds(values: list[float]) -> list[list[float]]:
    size = max(1, len(values) // 3)
    return [
        values[:size],
        values[size : 2 * size] or values[-1:],
        values[2 * size :] or values[-1:],
    ]
