"""Celery's broker behind Sentinel: hints go to the server that is master now."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import RedisError

from banyan.adapters.celery_queue import CHILDREN, CeleryQueue
from banyan.local.ports import LOOPBACK, free_port
from banyan.local.processes import Processes
from banyan.local.programs import environment
from banyan.local.valkey import Valkey, find_binary
from banyan.ports import Hint
from tests.fixtures.waiting import eventually

MASTER = "banyan"


@dataclass(frozen=True, slots=True)
class Watched:
    """Two servers, one of them a replica, and the Sentinel that watches them."""

    servers: tuple[Valkey, Valkey]
    sentinel_port: int

    def ask(self, *command: str) -> list[bytes]:
        with Redis(LOOPBACK, self.sentinel_port, socket_timeout=5) as client:
            reply = client.execute_command("SENTINEL", *command)
        return reply if isinstance(reply, list) else [reply]

    def master(self) -> Valkey:
        port = int(self.ask("GET-MASTER-ADDR-BY-NAME", MASTER)[1])
        return next(server for server in self.servers if server.port == port)

    def num_replicas(self) -> int:
        return len(self.ask("REPLICAS", MASTER))


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    with (
        Valkey(tmp_path / "one") as one,
        Valkey(tmp_path / "two") as two,
        Processes(tmp_path / "logs") as processes,
    ):
        with Redis.from_url(two.url) as client:
            client.execute_command("REPLICAOF", LOOPBACK, one.port)
        port, config = free_port(), tmp_path / "sentinel.conf"
        config.write_text(
            f"port {port}\nbind {LOOPBACK}\nsentinel monitor {MASTER} {LOOPBACK} {one.port} 1\n"
        )
        argv = [str(find_binary()), str(config), "--sentinel"]
        processes.start("sentinel", argv, env=environment())
        yield Watched((one, two), port)


@pytest.fixture
async def queue(watched: Watched) -> AsyncIterator[CeleryQueue]:
    url = f"sentinel://{LOOPBACK}:{watched.sentinel_port}"
    queue = CeleryQueue(url, transport_options={"master_name": MASTER})
    yield queue
    await queue.close()


async def until(holds: Callable[[], bool]) -> None:
    """Wait; while servers change their parts, asking them may fail."""

    async def ask() -> bool:
        with suppress(RedisError):
            return await asyncio.to_thread(holds)
        return False

    await eventually(ask)


def num_hints(server: Valkey) -> int:
    with Redis.from_url(server.url) as client:
        return int(client.llen(CHILDREN))


async def test_hints_follow_the_master_through_a_failover(
    watched: Watched, queue: CeleryQueue
) -> None:
    first, second = watched.servers
    await until(lambda: watched.num_replicas() == 1)
    await queue.send([Hint("solve_1", ("0",))])
    await until(lambda: num_hints(first) == num_hints(second) == 1)

    await until(lambda: watched.ask("FAILOVER", MASTER) == [b"OK"])
    await until(lambda: watched.master() is second)
    await until(lambda: (role(first), role(second)) == ("slave", "master"))
    await queue.send([Hint("solve_2", ("0",))])

    await until(lambda: num_hints(second) == 2)


def role(server: Valkey) -> str:
    with Redis.from_url(server.url) as client:
        return str(client.info("replication")["role"])
