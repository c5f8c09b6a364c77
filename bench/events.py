"""How long a change of state takes to be read as an event, with many streams open at once.

    python -m bench.events                            500 streams over 100 solves
    python -m bench.events --streams 1 --solves 1     one stream, nobody beside it

Solves are admitted and all their streams opened before the first worker starts, so that every
event behind the first of a solve is read live. A duration is from the moment that the event bears
(whole milliseconds of the store's clock, which is this machine's) to its being read. A run in which
a stream lacks an event, or gets one twice, is an error and not a number. Memory is the resident set
of the service's process.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import httpx
import psutil
import uvloop

from bench.durations import Durations
from bench.results import write_results
from bench.stack import Stack

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Result:
    """One run."""

    streams: int
    solves: int
    events_per_s: float
    """Read over all streams, while the solves ran."""
    delays: Durations
    idle_mib: float
    open_mib: float
    peak_mib: float


class Reader:
    """One stream: reads it to its end, and keeps how late each event was."""

    def __init__(self, session: aiohttp.ClientSession, solve: str, is_live: asyncio.Event) -> None:
        """`is_live` is set by the first reader that has read an event as it happened."""
        self._session = session
        self._solve = solve
        self._is_live = is_live
        self.is_open = asyncio.Event()
        self.seqs: list[int] = []
        self.delays_ms: list[float] = []
        self.has_result = False

    async def read(self) -> None:
        """Until the result. Raises RuntimeError for a stream with a gap or a repeat."""
        async with self._session.get(f"/solve/{self._solve}/events") as reply:
            reply.raise_for_status()
            async for line in reply.content:
                if line.startswith(b"data: "):
                    self._take(line[6:], time.time())
        if not self.has_result or self.seqs != list(range(1, len(self.seqs) + 1)):
            raise RuntimeError(f"{self._solve}: not all events, each once: {self.seqs}")

    def _take(self, data: bytes, now: float) -> None:
        event = json.loads(data)
        if "seq" not in event:
            self.has_result = True
            return
        self.seqs.append(event["seq"])
        if self.is_open.is_set():
            self.delays_ms.append(1_000 * (now - event["at"]))
            self._is_live.set()
        self.is_open.set()


async def measure(stack: Stack, solves: list[str], num_streams: int) -> Result:
    """Open the streams, start a worker, and read until all solves have finished."""
    service = psutil.Process(stack.service.pid)
    idle = service.memory_info().rss
    timeout = aiohttp.ClientTimeout(total=None)
    async with aiohttp.ClientSession(
        stack.url, connector=aiohttp.TCPConnector(limit=0), timeout=timeout, read_bufsize=1 << 20
    ) as session:
        is_live = asyncio.Event()
        readers = [Reader(session, solves[i % len(solves)], is_live) for i in range(num_streams)]
        reading = asyncio.gather(*(reader.read() for reader in readers))
        await asyncio.gather(*(reader.is_open.wait() for reader in readers))
        opened = peak = service.memory_info().rss
        stack.start_worker()
        await is_live.wait()
        began = time.monotonic()
        while not reading.done():
            peak = max(peak, service.memory_info().rss)
            await asyncio.wait({reading}, timeout=0.2)
        await reading
        wall_s = time.monotonic() - began
    delays = [delay for reader in readers for delay in reader.delays_ms]
    return Result(
        streams=num_streams,
        solves=len(solves),
        events_per_s=round(len(delays) / wall_s),
        delays=Durations.of_ms(delays),
        idle_mib=round(idle / MIB, 1),
        open_mib=round(opened / MIB, 1),
        peak_mib=round(peak / MIB, 1),
    )


def run(options: argparse.Namespace) -> Result:
    """A stack of its own for every run."""
    stack = Stack(latency_s=options.latency, num_workers=0, slots=options.slots)
    with stack, httpx.Client(timeout=130.0, trust_env=False) as http:
        solves = [
            stack.submit(
                http,
                f"fan-out {options.fan_out}",
                gate={"mode": "always"},
                limits={"max_depth": 1, "max_tokens": 10**9},
                metadata={"number": number},
            )
            for number in range(options.solves)
        ]
        return uvloop.run(measure(stack, solves, options.streams))


def main() -> int:
    """Run, print a line for each run and write JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--streams", type=int, default=500)
    parser.add_argument("--solves", type=int, default=100)
    parser.add_argument("--fan-out", type=int, default=6, help="children of each solve")
    parser.add_argument("--slots", type=int, default=16, help="model calls at a time")
    parser.add_argument("--latency", type=float, default=0.2, help="seconds of a model call")
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--out", type=Path, help="write the results as JSON")
    options = parser.parse_args()
    if options.solves > options.streams:
        parser.error("every solve needs a stream")
    results = []
    for _ in range(options.repeat):
        result = run(options)
        results.append(result)
        print(
            f"{result.streams} streams over {result.solves} solves, {result.events_per_s:.0f} "
            f"events read a second\nchange of state to event read: {result.delays.said}\n"
            f"memory of the service: {result.idle_mib} MiB idle, {result.open_mib} MiB with all "
            f"streams open, {result.peak_mib} MiB at most",
            flush=True,
        )
    write_results(options.out, results)
    return 0


if __name__ == "__main__":
    sys.exit(main())
