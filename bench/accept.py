"""How long a solve takes to be accepted: `POST /solve` with `Prefer: respond-async`.

    python -m bench.accept                    50 requests a second for 30 s
    python -m bench.accept --texts            each with a short text of its own to store first

Requests go out on their schedule, whether earlier ones have been answered or not, each with another
goal over a document that is there. A duration is from the moment a request was due to its 202 being
read; `late` is how much of it the client's own event loop has taken before it sent. CPU is that of
the service's process alone. A worker takes the solves on meanwhile, as it would.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import psutil
import uvloop

from bench.durations import Durations
from bench.results import write_results
from bench.stack import Stack

WARM_UP_S = 2.0


@dataclass(frozen=True, slots=True)
class Result:
    """One run."""

    rate: float
    accepted: Durations
    late: Durations
    cpu_ms_per_request: float


@dataclass(frozen=True, slots=True)
class _Request:
    took_ms: float
    late_ms: float


async def measure(stack: Stack, *, rate: float, seconds: float, texts: bool) -> Result:
    """Send for `seconds`, after a warm-up of the same kind. Raises for a reply that is not 202."""
    service = psutil.Process(stack.service.pid)
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(stack.url, connector=connector) as session:
        sender = Sender(session, None if texts else await _uploaded(session))
        await sender.send_all(rate=rate, seconds=WARM_UP_S)
        cpu_s = _cpu_s(service)
        requests = await sender.send_all(rate=rate, seconds=seconds)
        cpu_s = _cpu_s(service) - cpu_s
    return Result(
        rate=rate,
        accepted=Durations.of_ms([request.took_ms for request in requests]),
        late=Durations.of_ms([request.late_ms for request in requests]),
        cpu_ms_per_request=round(1_000 * cpu_s / len(requests), 2),
    )


@dataclass(slots=True)
class Sender:
    """Sends solves over the document of this id, or over texts that differ where it is None."""

    session: aiohttp.ClientSession
    document: str | None
    _sent: int = 0

    async def send_all(self, *, rate: float, seconds: float) -> list[_Request]:
        """`rate` requests a second for `seconds`; returns when all have been answered."""
        began = time.perf_counter()
        sending = []
        for index in range(round(rate * seconds)):
            due = began + index / rate
            await asyncio.sleep(due - time.perf_counter())
            sending.append(asyncio.create_task(self._send(due)))
        return await asyncio.gather(*sending)

    async def _send(self, due: float) -> _Request:
        sent = time.perf_counter()
        self._sent += 1
        text = {"text": f"Number {self._sent} is odd."}
        body = {
            "goal": f"What is number {self._sent}?",
            "documents": [text if self.document is None else {"id": self.document}],
        }
        headers = {"Prefer": "respond-async"}
        async with self.session.post("/solve", json=body, headers=headers) as reply:
            told = await reply.json()
            if reply.status != 202:
                raise RuntimeError(f"{reply.status}: {told}")
        return _Request(1_000 * (time.perf_counter() - due), 1_000 * (sent - due))


async def _uploaded(session: aiohttp.ClientSession) -> str:
    headers = {"Content-Type": "text/plain"}
    async with session.post("/documents", data=b"A number is odd.", headers=headers) as reply:
        document: str = (await reply.json())["id"]
        return document


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


def main() -> int:
    """Run, print a line for each run and write JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rate", type=float, default=50.0, help="requests a second")
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--texts", action="store_true", help="texts instead of a document's id")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--latency", type=float, default=0.05, help="seconds of a model call")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--out", type=Path, help="write the results as JSON")
    options = parser.parse_args()
    results = []
    with Stack(latency_s=options.latency, num_workers=options.workers) as stack:
        for _ in range(options.repeat):
            result = uvloop.run(
                measure(stack, rate=options.rate, seconds=options.seconds, texts=options.texts)
            )
            results.append(result)
            print(
                f"accepted: {result.accepted.said}\nlate: {result.late.said}\n"
                f"CPU of the service: {result.cpu_ms_per_request} ms a request",
                flush=True,
            )
    write_results(options.out, results)
    return 0


if __name__ == "__main__":
    sys.exit(main())
