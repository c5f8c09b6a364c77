"""What a solve would take is told before anything is spent, and nothing is stored."""

from __future__ import annotations

from typing import Any

import pytest

from banyan.adapters.engine_spec import EngineSpec
from banyan.adapters.policy_file import Listed
from banyan.node import Outcome
from service.settings import ServiceSettings
from tests.growing import sentences
from tests.service.house import TEXT, House, answered, assert_problem
from tests.service.working import working
from tests.two_policies import BOTH


async def test_a_long_text_is_estimated_without_storing_anything(house: House) -> None:
    reply = await house.http.post(
        "/solve/estimate",
        json={"goal": "Why?", "more_chars": 100_000, "window": 2_048},
    )
    body = reply.json()

    assert reply.status_code == 200
    assert not body["fits"]
    assert body["input_tokens"] == 37_800
    assert body["most"]["nodes"] > 10
    assert body["most"]["max_depth"] >= 1
    assert body["most"]["prompt_tokens"] > body["input_tokens"]
    assert (body["least"]["nodes"], body["least"]["max_depth"]) == (1, 0)
    assert body["most"]["seconds"] is None
    house.assert_nothing_stored()


async def test_documents_count_whether_they_are_stored_or_sent(house: House) -> None:
    document = await house.upload()

    async def tokens(*documents: dict[str, str]) -> int:
        body = {"goal": "Why?", "window": 2_048, "documents": documents}
        return int((await house.http.post("/solve/estimate", json=body)).json()["input_tokens"])

    assert await tokens({"id": document}) == await tokens({"text": TEXT})
    assert await tokens({"id": document}, {"text": TEXT}) > await tokens({"id": document})
    assert house.num_documents == 1


async def test_seconds_are_by_what_was_measured(house: House) -> None:
    for _ in range(2):
        await house.finish(await house.submit(), answered("doc_x"))
    await house.finish(await house.submit(), Outcome(status="failed", complete=False))
    body = (await house.http.post("/solve/estimate", json={"goal": "Why?", "window": 2_048})).json()

    # Each had 2 tokens of prompt that were not cached and 2 of completion, in 3 seconds of calls.
    assert body["pace"]["work_per_s"] == pytest.approx(2 * (2 + 4 * 2) / 6, abs=0.1)
    assert body["pace"]["num_trees"] == 2
    assert body["most"]["seconds"] > 0


async def test_limits_that_would_not_be_kept_are_named(house: House) -> None:
    body = (
        await house.http.post(
            "/solve/estimate",
            json={
                "goal": "Why?",
                "more_chars": 1_000_000,
                "window": 2_048,
                "limits": {"max_nodes": 10, "max_tokens": 1_000},
            },
        )
    ).json()

    assert body["exceeds"] == ["max_nodes", "max_tokens"]
    assert body["most"]["nodes"] <= 10


async def test_a_window_that_nobody_knows_is_asked_for(house: House) -> None:
    reply = await house.http.post("/solve/estimate", json={"goal": "Why?"})

    problem = assert_problem(reply, 422, "window_unknown")
    assert "BANYAN_ENGINE_WINDOW" in problem["hint"]


async def test_what_cannot_be_solved_is_not_estimated(house: House) -> None:
    for body, code in (
        ({"goal": ""}, "invalid_input"),
        ({"goal": "Why?", "window": 2_048, "policy": "none"}, "unknown_policy"),
        ({"goal": "Why?", "documents": [{"id": "doc_none"}]}, "unknown_document"),
    ):
        assert_problem(await house.http.post("/solve/estimate", json=body), 422, code)


async def test_windows_and_prices_are_those_of_the_listed_policies() -> None:
    spec = EngineSpec("openai", ("http://127.0.0.1:9",), window=4_096)
    house = House(ServiceSettings(), Listed(BOTH, dict.fromkeys(BOTH.names, spec)))
    async with house.http:
        body = {"goal": "Why?", "more_chars": 100_000, "policy": "large"}
        large = (await house.http.post("/solve/estimate", json=body)).json()
        mixed = (await house.http.post("/solve/estimate", json={**body, "leaves": "small"})).json()

    assert large["window"] == 4_096
    assert 0 < mixed["most"]["cost_usd"] < large["most"]["cost_usd"]


async def test_what_is_likely_is_most_as_earlier_solves_that_delegated_went(house: House) -> None:
    async def estimated() -> dict[str, Any]:
        body = {"goal": "Summarise it.", "more_chars": 60_000, "window": 2_048}
        reply = await house.http.post("/solve/estimate", json=body)
        found: dict[str, Any] = reply.json()
        return found

    before = await estimated()
    async with working(house):
        await house.http.post(
            "/solve",
            json={"goal": "Summarise it.", "documents": [{"text": sentences(1_500)}]},
            headers={"Prefer": "wait=60"},
        )
    after = await estimated()

    assert (before["likely"], before["ratios"]) == (None, None)
    assert after["ratios"]["num_trees"] == 1
    for name in ("llm_calls", "nodes", "prompt_tokens"):
        ratio = after["likely"][name] / after["most"][name]
        assert ratio == pytest.approx(after["ratios"][name], rel=0.05)
