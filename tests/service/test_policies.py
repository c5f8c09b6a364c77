"""Policies of a request: known ones are pinned, unknown ones refused, and prices asked for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from banyan.adapters.engine_spec import EngineSpec
from banyan.adapters.policy_file import Listed
from banyan.budget import Budget
from banyan.node import Node
from banyan.ports import ChildNode
from banyan.state import pack, unpack
from banyan.task import Task
from service.settings import ServiceSettings
from tests.service.house import ASYNC, House, assert_problem, turn_log
from tests.two_policies import BOTH

NOWHERE = EngineSpec("openai", ("http://127.0.0.1:9",))


@pytest.fixture
async def two() -> AsyncIterator[House]:
    """A service with a large and a small policy, whose servers are not there."""
    house = House(ServiceSettings(), Listed(BOTH, dict.fromkeys(BOTH.names, NOWHERE)))
    async with house.http:
        yield house
    await house.app.state.ports.engines.close()


def task_of(house: House) -> Task:
    [admission] = house.store.admitted
    return unpack(admission.task, Task)


async def test_a_request_is_pinned_to_the_versions_that_it_names(two: House) -> None:
    solve = await two.submit(policies=["small", "large", "small"])
    task = task_of(two)
    assert (task.policy, task.policies, task.leaves) == ("large", ("small", "large"), None)
    claimed = await two.claim(solve)
    assert claimed.policy == unpack(claimed.packed, Node).policy == "large"
    assert (await two.http.get(f"/solve/{solve}")).json()["policy"] == "large"


async def test_live_stands_for_the_version_that_it_is_now(two: House) -> None:
    await two.submit(policy="small", leaves="live")
    task = task_of(two)
    assert (task.policy, task.leaves) == ("small", "large")


UNKNOWN: dict[str, tuple[dict[str, Any], str]] = {
    "policy": ({"policy": "v7"}, "policy"),
    "one of the policies": ({"policies": ["small", "v7"]}, "policies.1"),
    "leaves": ({"leaves": "v7"}, "leaves"),
}


@pytest.mark.parametrize("case", UNKNOWN)
async def test_a_policy_that_is_not_served_is_refused_by_its_field(two: House, case: str) -> None:
    changes, field = UNKNOWN[case]
    body = {"goal": "Why?", "documents": [{"text": "a"}], **changes}
    problem = assert_problem(
        await two.http.post("/solve", json=body, headers=ASYNC), 422, "unknown_policy"
    )
    assert [error["field"] for error in problem["errors"]] == [field]
    assert problem["hint"] == "Use one of: live, large, small."
    assert "v7" not in problem["detail"]
    two.assert_nothing_stored()


async def test_a_limit_in_money_needs_a_price(house: House) -> None:
    body = {"goal": "Why?", "limits": {"max_cost_usd": 1.0}}
    reply = await house.http.post("/solve", json=body, headers=ASYNC)
    problem = assert_problem(reply, 422, "no_prices")
    assert problem["errors"][0]["field"] == "limits.max_cost_usd"
    house.assert_nothing_stored()


async def test_a_limit_in_money_is_the_roots_budget_in_nano_dollars(two: House) -> None:
    await two.submit(limits={"max_cost_usd": 0.25})
    [admission] = two.store.admitted
    assert admission.budget.nano_usd == 250_000_000


async def test_the_same_key_with_other_leaves_is_another_request(two: House) -> None:
    headers = {**ASYNC, "Idempotency-Key": "k"}
    first = {"goal": "Why?", "leaves": "small"}
    assert (await two.http.post("/solve", json=first, headers=headers)).status_code == 202
    assert (await two.http.post("/solve", json=first, headers=headers)).status_code == 202
    other = await two.http.post("/solve", json={"goal": "Why?"}, headers=headers)
    assert_problem(other, 422, "idempotency_key_reused")


async def test_nodes_show_what_they_run_on(two: House) -> None:
    solve = await two.submit(leaves="small")
    root = await two.claim(solve)
    node = unpack(root.packed, Node).model_copy(update={"path": "0.0", "policy": "small"})
    child = ChildNode(pack(node), Budget(tokens=100, nodes=0), node.policy)
    await two.store.spawn(
        root.lease,
        [child],
        packed=root.packed,
        kept=Budget(tokens=0, nodes=0),
        log=turn_log(),
        event={},
    )
    page = (await two.http.get(f"/solve/{solve}/tree")).json()["nodes"]
    assert [one["policy"] for one in page] == ["large", "small"]
    assert (await two.http.get(f"/solve/{solve}/nodes/0.0")).json()["policy"] == "small"


async def test_a_service_is_ready_while_model_servers_are_away_and_says_so(two: House) -> None:
    reply = await two.http.get("/readyz")
    assert reply.status_code == 200
    assert reply.json() == {"status": "ok", "engines": {"large": "down", "small": "down"}}


async def test_without_a_file_of_policies_nothing_is_said_of_servers(house: House) -> None:
    assert (await house.http.get("/readyz")).json() == {"status": "ok"}
