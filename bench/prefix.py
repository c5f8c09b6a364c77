"""How much of what children share comes out of the prefix caches of one server, and of three.

    python -m bench.prefix

Trees with the state `prefix` grow in this process: a root whose prompt has about 1,500 tokens lists
children, which begin with exactly this prompt and its reply. Servers are scripted engines with a
modelled prefix cache (`PrefixCache`): blocks of 16 tokens, apart by salt, and a bounded number of
them. Calls take turns of the event loop instead of seconds, so that every run gives the same
figures.

`scattered` are three servers that get calls in turn: what there would be without affinity. Goals:
80 % of the shared tokens from the cache, and with three servers at least 90 % of the share of one.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from banyan.adapters.memory_library import MemoryLibrary
from banyan.adapters.memory_store import MemoryStore
from banyan.adapters.replicas import Replica, Replicas
from banyan.in_process import grow
from banyan.limits import Limits
from banyan.ports import CallOptions, Completion, Engine, Message, OnDelta, Ports, Prompt
from banyan.task import Gate, Task
from banyan.testing import Call, PrefixCache, ScriptedEngine

NUM_WORDS = 1_400
WINDOW = 8_192
NUM_TURNS = 20
"""Of the event loop that a call takes."""


@dataclass(frozen=True, slots=True)
class Row:
    """All trees of one run. Tokens are those of calls behind a prefix; `share` is of these."""

    servers: str
    num_children: int
    trees_at_once: int
    blocks: int
    calls: int
    shared_tokens: int
    cached_tokens: int
    most_on_one: float
    """The share of the calls that the busiest server got."""

    @property
    def share(self) -> float:
        return self.cached_tokens / self.shared_tokens


@dataclass(slots=True)
class Counted:
    """What calls behind a prefix had in the cache."""

    calls: int = 0
    shared_tokens: int = 0
    cached_tokens: int = 0

    def add(self, prompt: Prompt, reply: Completion) -> None:
        first = prompt.messages[0]
        if first.role == "prefix":
            shared = len(first.token_ids or ())
            self.calls += 1
            self.shared_tokens += shared
            self.cached_tokens += min(shared, reply.cached_tokens)


class Watched(Replicas):
    """Replicas whose completions are counted."""

    def __init__(self, engines: Sequence[tuple[str, Engine]]) -> None:
        super().__init__(engines)
        self.counted = Counted()

    async def complete(
        self,
        prompt: Prompt,
        *,
        schema: Mapping[str, Any] | None,
        max_tokens: int,
        options: CallOptions,
        on_delta: OnDelta | None = None,
    ) -> Completion:
        reply = await super().complete(
            prompt, schema=schema, max_tokens=max_tokens, options=options, on_delta=on_delta
        )
        self.counted.add(prompt, reply)
        return reply


class Scattered(Watched):
    """The same, but that each call goes to the next one."""

    def __init__(self, engines: Sequence[tuple[str, Engine]]) -> None:
        super().__init__(engines)
        self._numbers = itertools.count()

    def ranked(self, key: str, *, behind: Message | None = None) -> list[Replica]:
        del key, behind
        first = next(self._numbers) % len(self.replicas)
        return [*self.replicas[first:], *self.replicas[:first]]


@dataclass(frozen=True, slots=True)
class Way:
    """How many servers there are, and how calls come to them."""

    name: str
    kind: type[Watched]
    num_servers: int


WAYS = (Way("1", Watched, 1), Way("3", Watched, 3), Way("3 scattered", Scattered, 3))


async def measure(
    way: Way, trees_at_once: int, *, trees: int, num_children: int, blocks: int
) -> Row:
    """Grow the trees, some at one time. Raises RuntimeError where one is not whole."""

    async def hold(call: Call) -> None:
        del call
        for _ in range(NUM_TURNS):
            await asyncio.sleep(0)

    servers = [
        ScriptedEngine(window=WINDOW, cache=PrefixCache(blocks), hold=hold)
        for _ in range(way.num_servers)
    ]
    engine = way.kind([(f"http://server-{index}", server) for index, server in enumerate(servers)])
    ports = Ports(MemoryStore(), MemoryLibrary(), engine)
    numbers = iter(range(trees))

    async def grow_some() -> None:
        for number in numbers:
            await _grow(number, num_children, ports)

    await asyncio.gather(*(grow_some() for _ in range(trees_at_once)))
    calls = [len(server.calls) for server in servers]
    return Row(
        servers=way.name,
        num_children=num_children,
        trees_at_once=trees_at_once,
        blocks=blocks,
        calls=engine.counted.calls,
        shared_tokens=engine.counted.shared_tokens,
        cached_tokens=engine.counted.cached_tokens,
        most_on_one=max(calls) / sum(calls),
    )


async def _grow(number: int, num_children: int, ports: Ports) -> None:
    words = " ".join(f"word-{number}-{index}" for index in range(NUM_WORDS // 5))
    limits = Limits(max_depth=1, max_tokens=100_000_000)
    goal = f"{words} fan-out {num_children}"
    task = Task(
        tenant=f"b{number}", goal=goal, state="prefix", gate=Gate(mode="always"), limits=limits
    )
    tree = await grow(task, ports)
    if tree.usage.nodes != 1 + num_children:
        raise RuntimeError(f"{tree.status}: {tree.usage.nodes} nodes, {tree.outcome}")


async def run(options: argparse.Namespace) -> list[Row]:
    """All ways, for each number of trees at one time; each is printed as soon as it is there."""
    found = []
    print("children trees at once     servers calls shared tokens  cached of one's busiest")
    for num_children, trees_at_once in itertools.product(options.children, options.at_once):
        alone = 0.0
        for way in WAYS:
            row = await measure(
                way,
                trees_at_once,
                trees=options.trees,
                num_children=num_children,
                blocks=options.blocks,
            )
            alone = alone or row.share
            found.append(row)
            print(
                f"{num_children:8} {trees_at_once:13} {way.name:>11} {row.calls:5} "
                f"{row.shared_tokens:13} "
                f"{row.share:7.1%} {row.share / alone:8.1%} {row.most_on_one:7.0%}",
                flush=True,
            )
    return found


def main() -> int:
    """Run, print a table and write JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--trees", type=int, default=48)
    parser.add_argument("--at-once", type=int, nargs="+", default=[1, 4, 16])
    parser.add_argument("--children", type=int, nargs="+", default=[4, 32])
    parser.add_argument("--blocks", type=int, default=25_000, help="of 16 tokens, of each cache")
    parser.add_argument("--out", type=Path, help="write the results as JSON")
    options = parser.parse_args()
    found = asyncio.run(run(options))
    if options.out is not None:
        rows = [{**asdict(row), "share": row.share} for row in found]
        options.out.write_text(json.dumps(rows, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
