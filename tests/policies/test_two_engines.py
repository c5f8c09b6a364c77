"""Real workers over two model servers: the small one reads, the large one divides and merges."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from banyan.adapters.celery_queue import CeleryQueue
from banyan.adapters.redis_store import RedisStore
from banyan.admission import admission
from banyan.client.results import SolveResult
from banyan.ports import Admission
from banyan.prices import NANO
from banyan.settings import Settings
from banyan.task import Task
from banyan.tree import tree_id
from bench.stack import Stack
from tests.fixtures.engines import ServedEngine
from tests.growing import sentences
from tests.policies.fakes import PRICES, Fake, two_fakes, write

GOAL = "Summarise what this text tells."


@dataclass(frozen=True, slots=True)
class Two:
    """A stack over two fakes."""

    stack: Stack
    large: Fake
    small: Fake
    client: httpx.Client

    def solve(self, text: str, **request: Any) -> SolveResult:
        documents = [{"text": text}]
        tree = self.stack.submit(self.client, GOAL, documents=documents, **request)
        return SolveResult.model_validate(self.stack.wait(self.client, tree))

    def nodes(self, tree: str) -> list[dict[str, Any]]:
        reply = self.client.get(f"{self.stack.url}/solve/{tree}/tree", params={"limit": 1_000})
        found: list[dict[str, Any]] = reply.json()["nodes"]
        return found


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Two]:
    folder = tmp_path_factory.mktemp("two")
    with two_fakes(folder) as (large, small):
        file = write(folder / "policies.json", {"large": large.entry(), "small": small.entry()})
        stack = Stack(engine=("openai", large.url), num_workers=1, slots=16, policies=file)
        with stack, httpx.Client(timeout=130.0, trust_env=False) as client:
            yield Two(stack, large, small, client)


def test_leaves_are_on_the_small_server_and_costs_add_up_to_the_nano_dollar(two: Two) -> None:
    before = two.large.calls(), two.small.calls()
    text = sentences(3_000)
    result = two.solve(text, leaves="small")

    assert result.status == "completed", result.error
    assert result.policy == "large"
    assert result.coverage is not None
    assert (result.coverage.share, result.coverage.missing) == (1.0, ())
    for citation in result.citations:
        assert text[citation.start : citation.end].startswith(citation.quote)

    nodes = two.nodes(result.id)
    assert {node["policy"] for node in nodes if node["num_children"] == 0} == {"small"}
    assert {node["policy"] for node in nodes if node["num_children"] > 0} == {"large"}

    by_policy = result.usage.by_policy
    after = two.large.calls(), two.small.calls()
    assert after[0] - before[0] == by_policy["large"].llm_calls > 0
    assert after[1] - before[1] == by_policy["small"].llm_calls > by_policy["large"].llm_calls
    total = 0
    for name, used in by_policy.items():
        nano_usd = round(PRICES[name]["prompt"] * 1_000) * used.prompt_tokens
        nano_usd += round(PRICES[name]["completion"] * 1_000) * used.completion_tokens
        assert used.cached_tokens == 0
        assert round(used.cost_usd * NANO) == nano_usd > 0
        total += nano_usd
    assert round(result.usage.cost_usd * NANO) == total


def test_every_turn_of_a_node_says_on_which_policy_it_ran(two: Two) -> None:
    result = two.solve(sentences(600), leaves="small")
    leaf = next(node["path"] for node in two.nodes(result.id) if node["policy"] == "small")
    for path, policy in (("0", "large"), (leaf, "small")):
        node = two.client.get(f"{two.stack.url}/solve/{result.id}/nodes/{path}").json()
        assert node["policy"] == policy
        assert {turn["policy"] for turn in node["turns"]} == {policy}


def test_a_limit_in_money_ends_with_the_best_partial_answer(two: Two) -> None:
    text = sentences(3_000)
    whole = two.solve(text, leaves="small").usage.cost_usd
    result = two.solve(text, leaves="small", limits={"max_cost_usd": 0.9 * whole})

    assert result.status == "partial"
    assert result.answer
    assert "budget_ran_out" in result.notices
    assert result.usage.cost_usd <= 0.9 * whole


def test_the_service_tells_whether_the_servers_answer(two: Two) -> None:
    reply = two.client.get(f"{two.stack.url}/readyz")
    assert reply.json() == {"status": "ok", "engines": {"large": "up", "small": "up"}}


def test_the_policy_of_a_request_decides_where_all_of_it_runs(two: Two) -> None:
    result = two.solve(sentences(300), policy="small")
    assert result.status == "completed"
    assert result.policy == "small"
    assert set(result.usage.by_policy) == {"small"}
    assert set(two.solve(sentences(20)).usage.by_policy) == {"large"}


def test_a_tree_whose_policy_is_served_no_more_ends_after_its_deadline(two: Two) -> None:
    task = Task(tenant="default", goal=GOAL, policy="gone")
    tree = tree_id(task.tenant, "gone", Settings().num_shards)
    asyncio.run(_admit(two.stack.valkey.url, replace(admission(task, tree), deadline_s=0.001)))
    solve = two.stack.wait(two.client, tree)
    assert solve["status"] == "failed"
    assert solve["error"]["code"] == "unknown_policy"


async def _admit(url: str, late: Admission) -> None:
    store, queue = RedisStore(url), CeleryQueue(url)
    hints = (await store.admit(late)).hints
    await queue.send(hints)
    await queue.close()
    await store.close()


@pytest.mark.real_engine
def test_a_real_small_model_reads_the_leaves(llama: ServedEngine, tmp_path: Path) -> None:
    """SmolLM2 under llama.cpp as the small one, beside a fake large one."""
    with two_fakes(tmp_path) as (large, _):
        small = {
            "engine": {"kind": llama.kind, "urls": [llama.url]},
            "traits": {"briefs": False, "cites": False, "frequency_penalty": 0.4},
            "prices": PRICES["small"],
        }
        file = write(tmp_path / "policies.json", {"large": large.entry(), "small": small})
        stack = Stack(engine=("openai", large.url), num_workers=1, slots=4, policies=file)
        with stack, httpx.Client(timeout=600.0, trust_env=False) as client:
            text = " ".join(
                f"Boat {index} left the harbour of Kiel at dawn." for index in range(180)
            )
            tree = stack.submit(
                client,
                GOAL,
                documents=[{"text": text}],
                leaves="small",
                gate={"mode": "always"},
                limits={"max_depth": 1, "max_cost_usd": 1.0, "max_answer_tokens": 16},
            )
            result = SolveResult.model_validate(stack.wait(client, tree))
            leaf = client.get(f"{stack.url}/solve/{tree}/nodes/0.0").json()

    assert result.status == "completed", result.error
    used = result.usage.by_policy
    assert used["small"].llm_calls >= 2
    assert used["small"].cost_usd > 0
    [turn] = leaf["turns"]
    assert (turn["policy"], leaf["policy"]) == ("small", "small")
    assert turn["engine"].startswith("llama")
    assert "Boat 0 left" in turn["prompt"]
