"""Fields of records: what it takes to find what a goal names, to select, and to count.

    python -m bench.selection                  100,000 lines
    python -m bench.selection --records 1000000 --json selection.json

Seconds of CPU over one list, the best of three, in the same run as the limit (splitting the text
into lines and these into cells, and nothing else) and as the look for the places that are nearest
to a goal, which a root takes anyway.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from banyan.adapters.memory_library import MemoryLibrary
from banyan.selection import Query
from banyan.spans import Span
from bench.results import write_results

GOAL = "Which user of users 17 and 33 wrote the most in May?"
_WORDS = ("what", "is", "the", "name", "of", "a", "river", "that", "flows", "north")
_REPEAT = 3


@dataclass(frozen=True, slots=True)
class Row:
    """`cpu_s` of one thing over a text of `num_chars`."""

    what: str
    cpu_s: float
    num_chars: int

    @property
    def per_million(self) -> float:
        return self.cpu_s / self.num_chars * 1e6


def text_of(num_records: int) -> str:
    """A list of so many lines, the same every time."""
    chance = random.Random(1)  # noqa: S311  # no secret
    lines = [
        f"Date: May {n % 28 + 1:02}, 2023 || User: {chance.randrange(3_000)} "
        f"|| Text: {' '.join(chance.choices(_WORDS, k=12))} {n}\n"
        for n in range(num_records)
    ]
    return "What was asked, a question a line.\n\n" + "".join(lines)


async def rows(num_records: int) -> list[Row]:
    """All that is measured, the limit first."""
    text = text_of(num_records)
    library = MemoryLibrary(max_bytes=2 * len(text))

    async def chunks() -> AsyncIterator[bytes]:
        yield text.encode()

    info = await library.put("t", chunks())
    whole = [Span(document=info.id, start=0, end=info.num_chars)]

    async def split() -> None:
        for line in text.split("\n"):
            line.split(" || ")

    measured: dict[str, Callable[[], Awaitable[object]]] = {
        "limit: lines and cells": split,
        "nearest places": lambda: library.nearest("t", whole, GOAL, 2_000),
        "what the goal names": lambda: library.named("t", whole, GOAL),
        "select by two fields": lambda: library.select(
            "t", whole, Query({"User": ["17", "33"], "Date": ["May"]})
        ),
        "count by a field": lambda: library.select("t", whole, Query(count_by="User")),
    }
    return [Row(what, await _best(run), len(text)) for what, run in measured.items()]


async def _best(run: Callable[[], Awaitable[object]]) -> float:
    taken = []
    for _ in range(_REPEAT):
        began = time.process_time()
        await run()
        taken.append(time.process_time() - began)
    return min(taken)


def main() -> None:
    """Print a table; write it as JSON where that is asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--json", type=Path, help="write the rows to this file too")
    options = parser.parse_args()
    found = asyncio.run(rows(options.records))
    print(f"{options.records} records, {found[0].num_chars / 1e6:.1f} million characters")
    for row in found:
        times = row.cpu_s / found[0].cpu_s
        print(f"{row.what:24} {row.cpu_s:6.2f} s  {row.per_million:5.2f} s/million  {times:5.1f} x")
    write_results(options.json, found)


if __name__ == "__main__":
    main()
