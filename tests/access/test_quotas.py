"""Quotas at the service: what is refused, with which headers, and that nothing of it is stored."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from banyan.errors import InvalidInput
from banyan.node import Failure, Outcome
from banyan.ports import Entry, Spent, TurnLog
from banyan.tree import TreeRecord
from service.quota.rules import make_rules
from service.settings import ServiceSettings
from tests.access.makers import key_of
from tests.service.house import ASYNC, House, assert_problem

DONE = Outcome(status="ok", answer="yes")
FAILED = Outcome(status="failed", failure=Failure(code="internal", message="It broke."))


@asynccontextmanager
async def limited(**settings: Any) -> AsyncIterator[House]:
    house = House(ServiceSettings(default_wait_s=0.0, **settings))
    async with house.http:
        yield house


async def submit(house: House, key: str | None = None, **body: Any) -> httpx.Response:
    headers = {**ASYNC, **({"Idempotency-Key": key} if key else {})}
    content = {"goal": "Why?", "documents": [{"text": "A text."}], **body}
    return await house.http.post("/solve", json=content, headers=headers)


async def use(house: House, solve: str, *, tokens: int = 0, nano_usd: int = 0) -> None:
    """Finish a solve that has used so much."""
    claimed = await house.claim(solve)
    spent = Spent(prompt_tokens=tokens, nano_usd=nano_usd)
    await house.store.finish(claimed.lease, DONE, log=TurnLog(b"", spent, {}))


def refused(reply: httpx.Response) -> int:
    """The seconds that Retry-After says."""
    assert_problem(reply, 429, "quota_exceeded")
    return int(reply.headers["Retry-After"])


async def test_a_solve_too_many_is_refused_and_nothing_of_it_is_stored() -> None:
    async with limited(quota_trees=2) as house:
        first = await submit(house)
        await submit(house)
        kept = house.num_documents
        third = await submit(house, documents=[{"text": "Another text."}])

        assert refused(third) > 0
        assert house.num_documents == kept
        assert len(house.store.admitted) == 2
        assert first.headers["RateLimit-Policy"] == '"trees";q=2;qu="concurrent-requests"'
        assert first.headers["RateLimit"] == '"trees";r=1'
        assert third.headers["RateLimit"] == '"trees";r=0'


async def test_of_many_at_one_time_exactly_as_many_as_allowed_are_taken() -> None:
    async with limited(quota_trees=3) as house:
        replies = await asyncio.gather(*(submit(house) for _ in range(12)))

    statuses = sorted(reply.status_code for reply in replies)
    assert statuses == [202] * 3 + [429] * 9


async def test_a_crowd_that_is_refused_looks_for_ended_solves_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with limited(quota_trees=2) as house:
        admitted = {(await submit(house)).json()["id"] for _ in range(2)}
        looked_at: list[str] = []
        crowd, is_complete = 30, asyncio.Event()
        get_tree, reserve = house.store.get_tree, house.ledger.reserve

        async def slow_get_tree(tree_id: str) -> TreeRecord:
            if tree_id in admitted:
                looked_at.append(tree_id)
                await is_complete.wait()
            return await get_tree(tree_id)

        async def counted_reserve(*args: Any, **more: Any) -> Entry:
            nonlocal crowd
            crowd -= 1
            if not crowd:
                is_complete.set()
            return await reserve(*args, **more)

        monkeypatch.setattr(house.store, "get_tree", slow_get_tree)
        monkeypatch.setattr(house.ledger, "reserve", counted_reserve)
        replies = await asyncio.gather(*(submit(house) for _ in range(crowd)))

        assert {reply.status_code for reply in replies} == {429}
        # One look, and one more for all who came while it was under way.
        assert sorted(looked_at) == sorted(2 * list(admitted))


async def test_a_solve_that_is_resumed_counts_like_a_new_one() -> None:
    async with limited(quota_trees=1) as house:
        failed = (await submit(house)).json()["id"]
        await house.finish(failed, FAILED)
        running = (await submit(house)).json()["id"]
        too_many = await house.http.post(f"/solve/{failed}/resume")
        assert refused(too_many) > 0
        assert (await house.store.get_tree(failed)).status == "failed"

        await house.finish(running, DONE)
        resumed = await house.http.post(f"/solve/{failed}/resume")
        assert resumed.status_code == 202
        assert refused(await submit(house)) > 0
        repeated = await house.http.post(f"/solve/{failed}/resume")
        assert repeated.status_code == 202


async def test_a_solve_that_has_ended_makes_room_at_once() -> None:
    async with limited(quota_trees=1) as house:
        solve = (await submit(house)).json()["id"]
        refused(await submit(house))
        await use(house, solve)

        assert (await submit(house)).status_code == 202


async def test_a_solve_that_was_refused_later_on_does_not_count() -> None:
    async with limited(quota_trees=1) as house:
        assert_problem(await submit(house, policy="nobody's"), 422, "unknown_policy")

        assert (await submit(house)).status_code == 202


async def test_a_request_that_is_repeated_passes_although_the_quota_is_used_up() -> None:
    async with limited(quota_trees=1) as house:
        first, again = await submit(house, "k"), await submit(house, "k")
        assert first.json()["id"] == again.json()["id"]
        refused(await submit(house, "other"))
        await use(house, first.json()["id"])
        assert (await submit(house, "other")).status_code == 202

        assert (await submit(house, "k")).json()["id"] == first.json()["id"]
        assert_problem(await submit(house, "k", goal="What?"), 422, "idempotency_key_reused")


async def test_requests_at_one_time_with_the_same_key_are_one_solve() -> None:
    async with limited(quota_trees=1) as house:
        replies = await asyncio.gather(*(submit(house, "k") for _ in range(8)))

        assert len({reply.json()["id"] for reply in replies}) == 1
        assert {reply.status_code for reply in replies} == {202}
        assert len(house.store.admitted) == 1


async def test_nodes_count_together_and_what_can_never_fit_is_said() -> None:
    async with limited(quota_nodes=100) as house:
        assert (await submit(house, limits={"max_nodes": 60})).status_code == 202
        refused(await submit(house, limits={"max_nodes": 60}))
        small = await submit(house, limits={"max_nodes": 40})
        assert small.status_code == 202
        assert small.headers["RateLimit"] == '"nodes";r=0'
        assert_problem(await submit(house, limits={"max_nodes": 101}), 422, "over_quota")


@pytest.mark.parametrize(
    ("settings", "nano_usd"),
    [
        ({"quota_tokens_per_minute": 500}, 0),
        ({"quota_tokens_per_day": 500}, 0),
        ({"quota_usd_per_day": 0.25}, 250_000_000),
    ],
    ids=str,
)
async def test_what_was_used_up_is_waited_for(settings: dict[str, Any], nano_usd: int) -> None:
    async with limited(**settings) as house:
        solve = (await submit(house)).json()["id"]
        await use(house, solve, tokens=500, nano_usd=nano_usd)
        reply = await submit(house)

        assert 0 < refused(reply) <= 86_400
        assert ";r=0;t=" in reply.headers["RateLimit"]
        assert len(house.store.admitted) == 1


async def test_without_quotas_there_are_no_headers() -> None:
    async with limited() as house:
        assert "RateLimit" not in (await submit(house)).headers


async def test_a_tenant_may_have_a_quota_of_its_own(tmp_path: Path) -> None:
    file = tmp_path / "quotas.toml"
    file.write_text("[acme]\ntrees = 2\n", encoding="utf-8")
    async with limited(auth="on", quotas=file, quota_trees=1, quota_nodes=10_000) as house:
        for tenant, expected in (("acme", [202, 202, 429]), ("other", [202, 429, 429])):
            headers = {**ASYNC, **await key_of(house, tenant, "solve")}
            replies = [
                await house.http.post("/solve", json={"goal": "Why?"}, headers=headers)
                for _ in range(3)
            ]
            assert [reply.status_code for reply in replies] == expected
            assert '"nodes";q=10000' in replies[0].headers["RateLimit-Policy"]


@pytest.mark.parametrize(
    "text",
    [
        "[acme]\ntrees = 0",
        "[acme]\nforests = 1",
        "[acme]\nusd_per_day = inf",
        "[acme]\nusd_per_day = nan",
        "acme = 1",
        "[",
        '["a b"]\ntrees = 1',
    ],
)
def test_a_file_that_is_wrong_is_said_at_the_start(tmp_path: Path, text: str) -> None:
    file = tmp_path / "quotas.toml"
    file.write_text(text, encoding="utf-8")

    with pytest.raises(InvalidInput, match="BANYAN_QUOTAS"):
        make_rules(ServiceSettings(quotas=file))


@pytest.mark.parametrize("usd_per_day", [math.inf, math.nan])
def test_money_without_an_end_is_refused_at_the_start(usd_per_day: float) -> None:
    with pytest.raises(ValidationError, match="finite"):
        ServiceSettings(quota_usd_per_day=usd_per_day)
