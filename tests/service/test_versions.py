"""GET and POST /policies: publish, promote, roll back, reject; and which version a solve gets."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest

from banyan.adapters.memory_policies import MemoryPolicies
from banyan.adapters.swap_rules import SwapRules
from banyan.adapters.swapper import Swapper
from banyan.client.policies import PolicyDetail, PolicyList, PolicyVersion
from banyan.state import unpack
from banyan.task import Task
from banyan.testing import FakeReplica
from banyan.testing.fake_replica import logprob_of
from service.settings import ServiceSettings
from tests.fixtures.waiting import eventually
from tests.service.house import House, assert_problem
from tests.swap.makers import OTHER_BASE, PROBE, PROBE_TOKEN_IDS, WEIGHTS, directory, rewards

HONEST = {**PROBE, "logprobs": [logprob_of(WEIGHTS, token) for token in PROBE_TOKEN_IDS]}
NO_WAIT = {"Prefer": "wait=0"}


class Office(House):
    """A service whose folder of policies is in a test's own, with one replica behind it."""

    def __init__(self, root: Path) -> None:
        root.mkdir()
        self.root = root
        self.policies = MemoryPolicies()
        self.replica = FakeReplica()
        super().__init__(
            ServiceSettings(policy_dir=root, trajectory_dir=root / "log"), policies=self.policies
        )
        self.swapper = Swapper(
            self.policies,
            {"a": self.replica},
            folder=lambda version: root / version,
            has_ended=self._has_ended,
            rules=SwapRules(settle_s=0.0, drain_s=0.0),
        )

    async def _has_ended(self, tree_id: str) -> bool:
        return tree_id not in {admission.tree_id for admission in self.store.admitted}

    async def published(self, run: str = "run", **changes: Any) -> str:
        directory(self.root / run, **{"probe": HONEST, **changes})
        reply = await self.http.post("/policies", json={"directory": run})
        assert reply.status_code == 201, reply.text
        return PolicyVersion.model_validate(reply.json()).version

    async def promoted(self, **body: Any) -> str:
        version = await self.published()
        reply = await self.http.post(f"/policies/{version}/promote", json=body, headers=NO_WAIT)
        assert reply.status_code == 202, reply.text
        await self.swapper.step()
        return version

    async def shown(self) -> PolicyList:
        return PolicyList.model_validate((await self.http.get("/policies")).json())

    async def policy_of_new_solve(self, **body: Any) -> str:
        await self.submit(**body)
        return unpack(self.store.admitted[-1].task, Task).policy


@pytest.fixture
async def office(tmp_path: Path) -> Any:
    office = Office(tmp_path / "policies")
    async with office.http:
        yield office


async def test_without_versions_the_list_is_empty(office: Office) -> None:
    assert await office.shown() == PolicyList(policies={}, versions=())


async def test_published_weights_are_listed_and_shown_with_their_manifest(office: Office) -> None:
    directory(office.root / "run", probe=HONEST)
    reply = await office.http.post("/policies", json={"directory": "run"})
    assert reply.status_code == 201
    assert reply.headers["Location"] == "/policies/policy-v1"

    [listed] = (await office.shown()).versions
    shown = PolicyDetail.model_validate((await office.http.get("/policies/policy-v1")).json())

    assert (listed.version, listed.state) == ("policy-v1", "verified")
    assert (shown.manifest.threshold, shown.parent) == (1.5, "base")


async def test_a_solve_is_pinned_to_what_is_live_when_it_is_admitted(office: Office) -> None:
    assert await office.policy_of_new_solve() == "base"
    version = await office.promoted()
    assert (await office.shown()).policies["base"].live == version

    assert await office.policy_of_new_solve() == version
    assert await office.policy_of_new_solve(policy=version) == version
    assert len(await office.policies.pins(version, limit=10)) == 2
    assert len(await office.policies.pins("base", limit=10)) == 1

    reply = await office.http.post(f"/policies/{version}/rollback")
    assert PolicyVersion.model_validate(reply.json()).state == "retired"
    assert await office.policy_of_new_solve() == "base"


async def test_a_canary_gets_about_its_share_of_solves(office: Office) -> None:
    version = await office.promoted(share=0.5)
    got = [await office.policy_of_new_solve() for _ in range(60)]

    assert {"base", version} == set(got)
    assert 10 < got.count(version) < 50


async def test_feedback_on_solves_decides_about_a_canary(office: Office) -> None:
    version = await office.promoted(share=0.5)
    told = {version: 0, "base": 0}
    while min(told.values()) < 64:
        solve = await office.submit()
        policy = unpack(office.store.admitted[-1].task, Task).policy
        told[policy] += 1
        value = (0.9 if policy == version else 0.2) + 0.01 * (told[policy] % 3)
        reply = await office.http.post(f"/solve/{solve}/feedback", json={"value": value})
        assert reply.status_code == 200, reply.text

    await office.swapper.step()

    assert (await office.shown()).policies["base"].live == version
    solve = await office.submit()
    await office.http.post(f"/solve/{solve}/feedback", json={"value": 1.0})
    assert solve not in await office.policies.rewards(version)  # there is no canary to judge


async def test_a_repeated_request_stays_the_same_when_live_moves_on(office: Office) -> None:
    headers = {**NO_WAIT, "Idempotency-Key": "k"}
    first = await office.http.post("/solve", json={"goal": "Why?"}, headers=headers)
    await office.promoted()
    again = await office.http.post("/solve", json={"goal": "Why?"}, headers=headers)

    assert again.status_code == 202
    assert again.json()["id"] == first.json()["id"]
    assert again.json()["policy"] == "base"


async def test_promoting_waits_until_the_version_has_arrived(office: Office) -> None:
    async def is_wanted() -> bool:
        return (await office.policies.load()).line("base").wanted is not None

    version = await office.published()
    promoting = asyncio.create_task(
        office.http.post(f"/policies/{version}/promote", headers={"Prefer": "wait=20"})
    )
    await eventually(is_wanted)
    await office.swapper.step()
    reply = await promoting

    assert reply.status_code == 200
    assert reply.headers["Preference-Applied"] == "wait=20"
    assert PolicyVersion.model_validate(reply.json()).state == "live"


async def test_what_is_not_proved_says_why(office: Office) -> None:
    office.replica.is_deaf = True
    version = await office.promoted()

    [listed] = (await office.shown()).versions
    assert listed.state == "rejected"
    assert "nats a token" in listed.reasons[0]
    assert_problem(await office.http.post(f"/policies/{version}/promote"), 409, "conflict")
    reply = await office.http.post("/solve", json={"goal": "Why?", "policy": version})
    assert_problem(reply, 422, "unknown_policy")


async def test_worse_weights_are_published_as_rejected(office: Office) -> None:
    worse = {"set_name": "s", "live_version": "base"}
    evaluation = {**worse, "candidate": rewards(0.1), "live": rewards(0.6)}
    version = await office.published(evaluation=evaluation)

    assert (await office.shown()).versions[0].state == "rejected"
    assert_problem(await office.http.post(f"/policies/{version}/rollback"), 409, "conflict")


async def test_an_operator_rejects_a_version_with_a_reason(office: Office) -> None:
    version = await office.published()
    reply = await office.http.post(f"/policies/{version}/reject", json={"reason": "rude"})

    shown = PolicyVersion.model_validate(reply.json())
    assert (shown.state, shown.reasons) == ("rejected", ("rude",))


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"directory": "../secret"}, 422, "invalid_input"),
        ({"directory": "/etc"}, 422, "invalid_input"),
        ({"directory": "nowhere"}, 404, "not_found"),
        ({"directory": ""}, 422, "invalid_input"),
        ({"directory": "run", "more": 1}, 422, "invalid_input"),
        ({}, 422, "invalid_input"),
        ({"directory": "empty"}, 422, "invalid_manifest"),
        ({"directory": "broken"}, 422, "broken_weights"),
        ({"directory": "other"}, 422, "wrong_base_model"),
    ],
)
async def test_what_cannot_be_published_is_refused_by_name(
    office: Office, body: dict[str, Any], status: int, code: str
) -> None:
    await office.published("first")
    (office.root / "empty").mkdir()
    broken = directory(office.root / "broken")
    (broken / "adapter_model.safetensors").write_bytes(WEIGHTS[:-1])
    directory(office.root / "other", base=OTHER_BASE)
    directory(office.root.parent / "secret")

    assert_problem(await office.http.post("/policies", json=body), status, code)

    assert len((await office.shown()).versions) == 1


@pytest.mark.parametrize("call", ["", "/promote", "/rollback", "/reject"])
@pytest.mark.parametrize(
    ("version", "status"), [("policy-v7", 404), ("base", 422), ("%2e%2e", 422)]
)
async def test_versions_that_are_not_there(
    office: Office, call: str, version: str, status: int
) -> None:
    method = "POST" if call else "GET"
    reply: httpx.Response = await office.http.request(method, f"/policies/{version}{call}")
    assert_problem(reply, status, "not_found" if status == 404 else "invalid_input")


@pytest.mark.parametrize("share", [0, -1, 1.5, "much"])
async def test_a_share_is_a_part_of_one(office: Office, share: object) -> None:
    version = await office.published()
    reply = await office.http.post(f"/policies/{version}/promote", json={"share": share})
    assert_problem(reply, 422, "invalid_input")
