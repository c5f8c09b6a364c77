"""How quickly model servers read prompts and write: plain calls, without Banyan.

    python -m bench.pace --engine URL [--engine URL ...]

Reading: prompts that nothing of is cached, with one token to write. Writing: short prompts, and as
many tokens as are said, whatever the model would like. Servers are measured one after the other.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from bench.plain_load import Lengths, PlainLoad
from bench.results import write_results

PROMPT_TOKENS = 1_500
SHORT_TOKENS = 64
NUM_WRITTEN = 64


@dataclass(frozen=True, slots=True)
class Pace:
    """Of one server. Tokens a second over all calls, from the first one's start to the last end."""

    engine: str
    model: str
    read_tokens: int
    read_per_s: float
    written_tokens: int
    written_per_s: float


async def pace(url: str, *, num_calls: int, width: int) -> Pace:
    """Measure `num_calls` calls of each kind, `width` of them at one time.

    Raises RuntimeError where a call fails.
    """
    reading = await PlainLoad.made(url, Lengths(PROMPT_TOKENS, 0, 1))
    writing = await PlainLoad.made(url, Lengths(SHORT_TOKENS, 0, NUM_WRITTEN))
    read_tokens, read_s = await _prompts(reading, num_calls, width)
    _, write_s = await _prompts(writing, num_calls, width)
    written_tokens = num_calls * NUM_WRITTEN
    return Pace(
        engine=url,
        model=reading.model,
        read_tokens=read_tokens,
        read_per_s=read_tokens / read_s,
        written_tokens=written_tokens,
        written_per_s=written_tokens / write_s,
    )


async def _prompts(load: PlainLoad, num_calls: int, width: int) -> tuple[int, float]:
    """Tokens of all prompts, and seconds for all calls."""
    places = asyncio.Semaphore(width)
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(load.url, connector=connector) as http:

        async def call(number: int) -> int:
            async with places:
                return await load.call(http, load.prompt(number))

        began = time.monotonic()
        tokens = await asyncio.gather(*(call(number) for number in range(num_calls)))
    return sum(tokens), time.monotonic() - began


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print a line for each server, and write JSON where it is wanted."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--engine", action="append", required=True, help="URL of a server")
    parser.add_argument("--calls", type=int, default=16, help="of each kind")
    parser.add_argument("--width", type=int, default=8, help="calls at one time")
    parser.add_argument("--out", type=Path, help="write the results as JSON")
    options = parser.parse_args(arguments)
    found = []
    for url in options.engine:
        one = asyncio.run(pace(url, num_calls=options.calls, width=options.width))
        found.append(one)
        print(
            f"{one.engine}  {one.model}: reads {one.read_per_s:.0f} tokens/s, writes "
            f"{one.written_per_s:.0f} tokens/s ({options.width} calls at one time)",
            flush=True,
        )
    write_results(options.out, found)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
