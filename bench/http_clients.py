"""What one call to a model server costs in the process that makes it, by HTTP client.

    python -m bench.http_clients

CPU is that of the calling process alone, user and system, on the event loop that the workers use.
The fake model server answers after 50 ms, from a process of its own. `banyan` is what the engines
go through: `EngineHttp`, with its encoding, its decoding and its errors.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import httpx
import uvloop

from banyan.adapters.engine_http import EngineHttp
from banyan.local.ports import LOOPBACK, free_port
from banyan.local.probes import is_up
from banyan.local.processes import Processes
from banyan.local.programs import command, environment
from bench.stack import START_S, wait_until

LATENCY_S = 0.05
TIMEOUT_S = 120.0
PATH = "/v1/chat/completions"
PROMPT = "The quick brown fox jumps over the lazy dog near the river. " * 54
"""About 900 tokens."""
BODY = {
    "model": "fake",
    "messages": [{"role": "user", "content": PROMPT}],
    "temperature": 0.7,
    "max_tokens": 256,
}

Call = Callable[[], Awaitable[None]]
"""One call, from the body as a dictionary to the reply as one."""

Client = Callable[[str], AbstractAsyncContextManager[Call]]
"""A client of the server at a URL."""


@asynccontextmanager
async def with_httpx(url: str) -> AsyncGenerator[Call, None]:
    """Without a limit of connections, since ours has none."""
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    async with httpx.AsyncClient(
        base_url=url, limits=limits, timeout=TIMEOUT_S, trust_env=False
    ) as client:

        async def call() -> None:
            reply = await client.post(PATH, json=BODY)
            reply.raise_for_status().json()

        yield call


@asynccontextmanager
async def with_aiohttp(url: str) -> AsyncGenerator[Call, None]:
    async with aiohttp.ClientSession(
        url,
        connector=aiohttp.TCPConnector(limit=0),
        timeout=aiohttp.ClientTimeout(total=TIMEOUT_S),
    ) as session:

        async def call() -> None:
            async with session.post(PATH, json=BODY, raise_for_status=True) as reply:
                json.loads(await reply.read())

        yield call


@asynccontextmanager
async def with_banyan(url: str) -> AsyncGenerator[Call, None]:
    http = EngineHttp(url, timeout_s=TIMEOUT_S)

    async def call() -> None:
        await http.post(PATH, BODY, dict[str, Any])

    yield call
    await http.close()


CLIENTS: Mapping[str, Client] = {
    "httpx": with_httpx,
    "aiohttp": with_aiohttp,
    "banyan": with_banyan,
}


async def cpu_ms_per_call(client: Client, url: str, num_in_flight: int, num_calls: int) -> float:
    """Milliseconds of this process's CPU a call, with `num_in_flight` of them at any time."""
    async with client(url) as call:
        await asyncio.gather(*(call() for _ in range(num_in_flight)))  # opens the connections
        left = num_calls

        async def caller() -> None:
            nonlocal left
            while left > 0:
                left -= 1
                await call()

        began_s = time.process_time()
        await asyncio.gather(*(caller() for _ in range(num_in_flight)))
        return 1_000 * (time.process_time() - began_s) / num_calls


def measure(clients: Mapping[str, Client], widths: Sequence[int], num_calls: int) -> None:
    """Start a fake model server, print a table and stop the server."""
    port = free_port()
    url = f"http://{LOOPBACK}:{port}"
    arguments = ("--port", str(port), "--latency", str(LATENCY_S))
    with (
        tempfile.TemporaryDirectory(prefix="banyan-bench-") as logs,
        Processes(Path(logs)) as processes,
    ):
        processes.start("engine", command("banyan.testing", *arguments), env=environment())
        wait_until(lambda: is_up(f"{url}/health"), START_S)
        print("CPU ms/call  " + "".join(f"{name:>10}" for name in clients))
        for width in widths:
            costs = [
                uvloop.run(cpu_ms_per_call(client, url, width, num_calls))
                for client in clients.values()
            ]
            print(f"{width:4} in flight" + "".join(f"{cost:10.2f}" for cost in costs))


def main() -> int:
    """Measure every client and print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--calls", type=int, default=2_000)
    parser.add_argument("--in-flight", type=int, nargs="+", default=[16, 64, 256])
    options = parser.parse_args()
    measure(CLIENTS, options.in_flight, options.calls)
    return 0


if __name__ == "__main__":
    sys.exit(main())
