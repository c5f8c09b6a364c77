"""Real workers: Celery processes on a real Valkey, with a fake model server that can be slow."""

from __future__ import annotations

import asyncio
import random
import signal
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from redis import Redis

from banyan.adapters.celery_queue import CHILDREN, CONTINUATIONS, CeleryQueue
from banyan.client import Client
from banyan.ports import Hint
from banyan.testing import ANSWER
from bench.stack import Stack, wait_until

ALWAYS = {"mode": "always"}


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with httpx.Client(timeout=130.0, trust_env=False) as client:
        yield client


def limits(max_depth: int) -> dict[str, Any]:
    return {"max_depth": max_depth, "max_nodes": 5_000, "max_tokens": 10_000_000_000}


def events(stack: Stack, tree_id: str) -> list[tuple[str, str]]:
    """Type and node of every event of a finished solve."""
    with Client(stack.url) as banyan:
        return [(event.type, str(event.data.get("node", ""))) for event in banyan.stream(tree_id)]


def test_a_waiting_parent_holds_no_slot(client: httpx.Client) -> None:
    """Depth 6 and more than 1,000 nodes on one worker with 4 slots."""
    with Stack(latency_s=0.0, num_workers=1, slots=4) as stack:
        tree_id = stack.submit(client, "fan-out 3", gate=ALWAYS, limits=limits(6))
        solve = stack.wait(client, tree_id)
    assert solve["status"] == "completed"
    assert solve["usage"]["nodes"] == 1_093
    assert solve["usage"]["max_depth"] == 6
    assert solve["usage"]["llm_calls"] == 2 * 1_093 - 3**6


def test_killed_workers_cost_only_the_calls_in_flight(client: httpx.Client) -> None:
    """SIGKILL three workers while a tree of 341 nodes grows: right answer, effects once."""
    slots = 16
    chance = random.Random(7)  # noqa: S311 - which worker dies is no secret
    with Stack(latency_s=0.15, num_workers=2, slots=slots, lease_s=2.0) as stack:
        tree_id = stack.submit(client, "fan-out 4", gate=ALWAYS, limits=limits(4))
        for num_calls in (90, 180, 270):
            wait_until(lambda n=num_calls: stack.engine_stats(client)["calls"] >= n, 120.0)
            stack.kill(chance.choice(stack.workers))
            stack.start_worker()
        solve = stack.wait(client, tree_id)
        happened = events(stack, tree_id)
        calls = stack.engine_stats(client)["calls"]
    assert solve["status"] == "completed"
    assert solve["answer"] == ANSWER
    assert solve["usage"]["nodes"] == 341
    finished = [node for name, node in happened if name == "node.finished"]
    assert len(finished) == len(set(finished)) == 341
    assert len([name for name, _ in happened if name == "node.spawned"]) == 85
    planned = 2 * 341 - 4**4
    assert planned <= calls <= planned + 3 * slots


def test_sigterm_hands_leases_back_so_that_others_go_on_at_once(client: httpx.Client) -> None:
    """Leases last longer than this test may, so only handing them back lets the tree finish."""
    with Stack(latency_s=1.5, num_workers=1, slots=8, lease_s=3_600.0) as stack:
        tree_id = stack.submit(client, "fan-out 8", gate=ALWAYS, limits=limits(1))
        wait_until(lambda: stack.engine_stats(client)["calls"] >= 5, 60.0)
        [first] = stack.workers
        stack.start_worker()
        first.process.send_signal(signal.SIGTERM)
        assert first.process.wait(timeout=60) == 0
        stack.forget(first)
        solve = stack.wait(client, tree_id)
    assert solve["status"] == "completed"
    assert solve["usage"]["lost_tokens"] == 0


def test_a_cancel_reaches_calls_in_flight(client: httpx.Client) -> None:
    """The call would take 10 minutes; after the cancel the model server has it no more."""
    with Stack(latency_s=600.0, num_workers=1, slots=8) as stack:
        tree_id = stack.submit(client, "Wait for me.")
        wait_until(lambda: stack.engine_stats(client)["in_flight"] == 1, 60.0)
        cancelled = client.post(f"{stack.url}/solve/{tree_id}/cancel")
        assert cancelled.json()["status"] == "cancelled"
        wait_until(lambda: stack.engine_stats(client)["in_flight"] == 0, 60.0)


def test_equal_calls_of_two_trees_on_two_workers_are_made_once(client: httpx.Client) -> None:
    """The same goal twice at one time; each call takes a second. A root's answer streams."""
    settings = {"BANYAN_COALESCE": "installation"}
    with Stack(latency_s=1.0, num_workers=2, slots=64, settings=settings) as stack:
        trees = [stack.submit(client, "fan-out 4", gate=ALWAYS, limits=limits(2)) for _ in range(2)]
        usages = [stack.wait(client, tree_id)["usage"] for tree_id in trees]
        num_made = stack.engine_stats(client)["calls"]
    planned = 2 * 21 - 4**2
    assert num_made == sum(usage["llm_calls"] for usage in usages) < 2 * planned
    for usage in usages:
        assert usage["llm_calls"] + usage["coalesced_calls"] == planned


def test_a_lost_message_is_found_and_a_repeated_one_changes_nothing(client: httpx.Client) -> None:
    with Stack(latency_s=0.0, num_workers=0, slots=4, queued_s=1.0) as stack:
        tree_id = stack.submit(client, "fan-out 4", gate=ALWAYS, limits=limits(2))
        broker = Redis.from_url(stack.valkey.url)
        wait_until(lambda: broker.llen(CHILDREN) == 1, 30.0)
        assert broker.delete(CHILDREN) == 1
        stack.start_worker()
        solve = stack.wait(client, tree_id)
        asyncio.run(_send(stack.valkey.url, Hint(tree_id, ("0", "0.0", "0.3.2", "9.9"))))
        asyncio.run(_send(stack.valkey.url, Hint(tree_id, ("0",), continuation=True)))
        wait_until(lambda: not broker.exists(CHILDREN, CONTINUATIONS), 30.0)
        broker.close()
        again = stack.wait(client, stack.submit(client, "Are you well?"))
        after = stack.wait(client, tree_id)
    assert solve["status"] == again["status"] == "completed"
    assert solve["usage"]["nodes"] == 21
    assert after == solve


async def _send(url: str, hint: Hint) -> None:
    queue = CeleryQueue(url)
    await queue.send([hint])
    await queue.close()
