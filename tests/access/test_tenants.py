"""Two tenants of one service: what is one's does not exist for the other."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from banyan.in_process import grow
from banyan.task import Task
from service.settings import ServiceSettings
from tests.access.makers import key_of
from tests.growing import Grower
from tests.service.house import ASYNC, TEXT, House, answered, assert_problem, text_plain


@dataclass
class Two:
    """A service, and the headers of its two tenants."""

    house: House
    mine: dict[str, str]
    theirs: dict[str, str]

    async def solve(self, headers: dict[str, str], **body: Any) -> httpx.Response:
        key = {"Idempotency-Key": body.pop("key")} if "key" in body else {}
        return await self.house.http.post(
            "/solve", json={"goal": "Why?", **body}, headers={**ASYNC, **headers, **key}
        )

    async def upload(self, headers: dict[str, str]) -> str:
        sent = {**headers, **text_plain()}
        reply = await self.house.http.post("/documents", content=TEXT, headers=sent)
        return str(reply.json()["id"])


@pytest.fixture
async def two(tmp_path: Any) -> AsyncIterator[Two]:
    house = House(ServiceSettings(auth="on", default_wait_s=0.0, trajectory_dir=tmp_path))
    async with house.http:
        yield Two(house, await key_of(house, "mine"), await key_of(house, "theirs"))


async def test_a_solve_of_another_tenant_does_not_exist(two: Two) -> None:
    """Whatever is asked of it, in whichever way the service can be asked."""
    solve = (await two.solve(two.mine, documents=[{"text": TEXT}])).json()["id"]
    paths = (await two.house.http.get("/openapi.json")).json()["paths"]
    asked = 0
    for path, operations in paths.items():
        if not path.startswith("/solve/{id}"):
            continue
        url = path.replace("{id}", solve).replace("{node}", "0")
        for method in operations:
            body = {"value": 1.0} if path.endswith("/feedback") else None
            reply = await two.house.http.request(method, url, json=body, headers=two.theirs)
            if method == "delete":  # 204 for what is not there, which it is not for them
                assert reply.status_code == 204
            else:
                assert_problem(reply, 404, "not_found")
            asked += 1

    assert asked >= 6
    assert (await two.house.store.get_tree(solve)).status == "queued"


async def test_an_answer_of_404_tells_nothing(two: Two) -> None:
    solve = (await two.solve(two.mine)).json()["id"]
    nobodys = f"solve_{'0' * 26}00"

    def told(reply: httpx.Response) -> dict[str, Any]:
        return {name: value for name, value in reply.json().items() if name != "request_id"}

    theirs = await two.house.http.get(f"/solve/{solve}", headers=two.theirs)
    none = await two.house.http.get(f"/solve/{nobodys}", headers=two.theirs)
    assert told(theirs) == told(none)


async def test_the_same_text_is_another_document_in_another_tenant(two: Two) -> None:
    mine, theirs = await two.upload(two.mine), await two.upload(two.theirs)

    assert mine != theirs
    assert two.house.num_documents == 2
    reply = await two.house.http.get(f"/documents/{mine}", headers=two.theirs)
    assert_problem(reply, 404, "not_found")
    reply = await two.solve(two.theirs, documents=[{"id": mine}])
    assert_problem(reply, 422, "unknown_document")


async def test_the_same_idempotency_key_is_another_solve_in_another_tenant(two: Two) -> None:
    mine = await two.solve(two.mine, key="k", goal="A")
    theirs = await two.solve(two.theirs, key="k", goal="B")

    assert (mine.status_code, theirs.status_code) == (202, 202)
    assert mine.json()["id"] != theirs.json()["id"]


async def test_cancelling_and_feedback_reach_ones_own_solves_alone(two: Two) -> None:
    document = await two.upload(two.mine)
    solve = (await two.solve(two.mine, documents=[{"id": document}])).json()["id"]
    await two.house.finish(solve, answered(document))
    feedback = f"/solve/{solve}/feedback"

    theirs = await two.house.http.post(feedback, json={"value": 0.0}, headers=two.theirs)
    mine = await two.house.http.post(feedback, json={"value": 1.0}, headers=two.mine)
    assert_problem(theirs, 404, "not_found")
    assert mine.status_code == 200


async def test_signing_secrets_are_ones_own(two: Two) -> None:
    found = [
        (await two.house.http.get("/webhooks/secret", headers=headers)).json()["secret"]
        for headers in (two.mine, two.theirs)
    ]

    assert len(set(found)) == 2


async def test_the_same_task_of_another_tenant_has_another_salt_for_the_prefix_cache() -> None:
    salts = {}
    for tenant in ("mine", "theirs"):
        grower = Grower()
        await grow(Task(tenant=tenant, goal="Why?"), grower.ports, serving=grower.serving)
        salts[tenant] = {call.options.salt for call in grower.engine.calls}

    assert salts == {"mine": {"mine:base"}, "theirs": {"theirs:base"}}
