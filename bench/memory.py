"""Memory of the store a node, for sizing it: trees that are grown, and kept, in a Valkey.

    python -m bench.memory                          records without token ids, and with

One root and its children, each with one turn, as any engine gives them; then with 1,536 token ids
of prompt and 96 of completion a turn and their log-probabilities, as vLLM gives them. What is
counted is `used_memory` before and after, the events of each tree included, and the growth of the
append-only file. A store needs it for all trees that run or are kept (`BANYAN_RETENTION_S`).
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from redis import Redis

from banyan.adapters.redis_store import RedisStore
from banyan.local.valkey import Valkey
from bench.results import write_results
from bench.token_turns import plant


@dataclass(frozen=True, slots=True)
class Memory:
    """What a node of a finished tree takes, on average."""

    token_ids: bool
    nodes: int
    bytes_a_node: float
    aof_bytes_a_node: float

    @property
    def mib_a_thousand_nodes(self) -> float:
        return self.bytes_a_node * 1_000 / 2**20


async def measure(url: str, num_children: int, trees: int, *, token_ids: bool) -> Memory:
    """Grow trees and look at what has come to be used."""
    store = RedisStore(url, num_shards=1, tenant_dispatch=1_000_000)
    with Redis.from_url(url) as client:
        await plant(store, 1, token_ids=token_ids)  # scripts, and what is there once
        before = used(client)
        for _ in range(trees):
            await plant(store, num_children, token_ids=token_ids)
        memory, aof = (now - then for now, then in zip(used(client), before, strict=True))
    await store.close()
    nodes = trees * (num_children + 1)
    return Memory(token_ids, nodes, memory / nodes, aof / nodes)


def used(client: Redis) -> tuple[int, int]:
    """Bytes of memory, and bytes of the append-only file."""
    memory, disk = client.info("memory"), client.info("persistence")
    return int(memory["used_memory"]), int(disk["aof_current_size"])


def main() -> int:
    """Run, print a table and write JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--children", type=int, default=1_000)
    parser.add_argument("--trees", type=int, default=3)
    parser.add_argument("--out", type=Path, help="write the results as JSON")
    options = parser.parse_args()
    results = []
    print("token ids  nodes  KiB/node  MiB/1,000 nodes  append-only file, KiB/node")
    for token_ids in (False, True):
        with (
            tempfile.TemporaryDirectory(prefix="banyan-memory-") as folder,
            Valkey(Path(folder)) as server,
        ):
            measured = asyncio.run(
                measure(server.url, options.children, options.trees, token_ids=token_ids)
            )
        results.append(measured)
        print(
            f"{'with' if token_ids else 'without':9}  {measured.nodes:5}  "
            f"{measured.bytes_a_node / 1024:8.2f}  {measured.mib_a_thousand_nodes:15.2f}  "
            f"{measured.aof_bytes_a_node / 1024:26.2f}",
            flush=True,
        )
    write_results(options.out, results)
    return 0


if __name__ == "__main__":
    sys.exit(main())
