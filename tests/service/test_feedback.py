"""Feedback on a solve, and what the trajectory log asks of a request."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from banyan.state import unpack
from banyan.task import Task
from service.settings import ServiceSettings
from tests.service.house import ASYNC, House, assert_problem


@pytest.fixture
async def logging_house(tmp_path: Path) -> AsyncIterator[House]:
    """A service that keeps a trajectory log."""
    house = House(ServiceSettings(trajectory_dir=tmp_path))
    async with house.http:
        yield house


def lines(root: Path) -> list[dict[str, Any]]:
    """All feedback that is kept."""
    return [
        json.loads(line)
        for path in (root / "feedback").glob("*.jsonl")
        for line in path.read_text(encoding="utf-8").splitlines()
        if line
    ]


async def test_feedback_is_kept_beside_the_log(logging_house: House, tmp_path: Path) -> None:
    solve = await logging_house.submit()
    body = {"value": 0.25, "source": "judge", "comment": "Half of it is missing."}
    reply = await logging_house.http.post(f"/solve/{solve}/feedback", json=body)
    assert reply.status_code == 200, reply.text
    [kept] = lines(tmp_path)
    assert (kept["tree_id"], kept["node_id"], kept["value"]) == (solve, "0", 0.25)
    assert (kept["source"], kept["comment"]) == ("judge", "Half of it is missing.")
    assert reply.json() == {
        "id": solve,
        "node": "0",
        "value": 0.25,
        "source": "judge",
        "key": kept["key"],
    }


async def test_the_same_feedback_has_the_same_key(logging_house: House, tmp_path: Path) -> None:
    solve = await logging_house.submit()
    path = f"/solve/{solve}/feedback"
    for _ in range(2):
        await logging_house.http.post(path, json={"value": 1})
    await logging_house.http.post(path, json={"value": 0})
    await logging_house.http.post(path, json={"value": 0}, headers={"Idempotency-Key": "mine"})
    first, again, other, named = [line["key"] for line in lines(tmp_path)]
    assert first == again
    assert len({first, other, named}) == 3
    assert named == "mine"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"value": 1.5}, "value"),
        ({"value": -0.1}, "value"),
        ({}, "value"),
        ({"value": 1, "source": "oracle"}, "source"),
        ({"value": 1, "comment": "x" * 2_001}, "comment"),
        ({"value": 1, "node": "root"}, "node"),
        ({"value": 1, "stars": 5}, "stars"),
    ],
)
async def test_bad_feedback_is_refused_and_not_kept(
    logging_house: House, tmp_path: Path, body: dict[str, Any], field: str
) -> None:
    solve = await logging_house.submit()
    reply = await logging_house.http.post(f"/solve/{solve}/feedback", json=body)
    problem = assert_problem(reply, 422, "invalid_input")
    assert problem["errors"][0]["field"] == field
    assert lines(tmp_path) == []


async def test_feedback_on_what_is_not_there_is_refused(
    logging_house: House, tmp_path: Path
) -> None:
    solve = await logging_house.submit()
    post = logging_house.http.post
    missing = await post(f"/solve/solve_{28 * '0'}/feedback", json={"value": 1})
    assert_problem(missing, 404, "not_found")
    no_node = await post(f"/solve/{solve}/feedback", json={"value": 1, "node": "0.7"})
    assert_problem(no_node, 404, "not_found")
    nul = await post(f"/solve/{solve}/feedback", json={"value": 1, "comment": "\0"})
    assert_problem(nul, 422, "invalid_input")
    key = await post(
        f"/solve/{solve}/feedback", json={"value": 1}, headers={"Idempotency-Key": "x" * 256}
    )
    assert_problem(key, 400, "invalid_header")
    assert lines(tmp_path) == []


async def test_feedback_on_an_opted_out_solve_is_refused(
    logging_house: House, tmp_path: Path
) -> None:
    solve = await logging_house.submit(train=False)
    reply = await logging_house.http.post(f"/solve/{solve}/feedback", json={"value": 1})
    assert_problem(reply, 409, "not_logged")
    assert lines(tmp_path) == []


async def test_without_a_log_neither_feedback_nor_rollouts_are_taken(house: House) -> None:
    solve = await house.submit()
    reply = await house.http.post(f"/solve/{solve}/feedback", json={"value": 1})
    assert_problem(reply, 409, "log_off")
    body = {"goal": "Why?", "profile": "rollout", "group_id": "g"}
    assert_problem(await house.http.post("/solve", json=body, headers=ASYNC), 409, "log_off")
    assert len(house.store.admitted) == 1


async def test_a_rollout_is_sampled_and_has_its_group(logging_house: House) -> None:
    await logging_house.submit(profile="rollout", group_id="g7")
    task = unpack(logging_house.store.admitted[0].task, Task)
    assert (task.profile, task.group_id, task.gate.mode) == ("rollout", "g7", "sampled")


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"profile": "rollout"}, "needs a group_id"),
        ({"profile": "rollout", "group_id": ""}, "group_id"),
        ({"profile": "rollout", "group_id": "g", "gate": {"mode": "never"}}, "sampled"),
        ({"profile": "rollout", "group_id": "g", "gate": {}}, "sampled"),
        ({"profile": "rollout", "group_id": "g", "train": False}, "train"),
        ({"group_id": "g"}, "belongs to the profile rollout"),
        ({"profile": "greedy"}, "rollout"),
    ],
)
async def test_a_profile_that_does_not_hold_is_refused(
    logging_house: House, body: dict[str, Any], says: str
) -> None:
    reply = await logging_house.http.post("/solve", json={"goal": "Why?", **body}, headers=ASYNC)
    problem = assert_problem(reply, 422, "invalid_input")
    assert says in problem["detail"]
    logging_house.assert_nothing_stored()
