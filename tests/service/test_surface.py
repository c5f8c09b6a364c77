"""Listing, resuming, tracing and deleting solves over the API."""

from __future__ import annotations

import asyncio
import json

import pytest

from banyan.budget import Budget
from banyan.node import Outcome
from banyan.tree import tree_id
from service.routes.trace import stream_of
from tests.service.house import ASYNC, House, assert_problem
from tests.service.test_tree import grow

FAILED = Outcome(status="failed", complete=False)
FINE = Outcome(status="ok", answer="So.")


async def test_solves_are_listed_newest_first_in_pages(house: House) -> None:
    solves = [
        await house.submit(goal=f"Why {number}?", metadata={"n": number}) for number in range(5)
    ]
    first = (await house.http.get("/solve", params={"limit": 3})).json()
    rest = (await house.http.get("/solve", params={"limit": 3, "cursor": first["next"]})).json()

    listed = [*first["solves"], *rest["solves"]]
    assert {one["id"] for one in listed} == set(solves)
    assert [one["created_at"] for one in listed] == sorted(
        (one["created_at"] for one in listed), reverse=True
    )
    assert rest["next"] is None
    by_id = {one["id"]: one for one in listed}
    assert by_id[solves[2]]["goal"] == "Why 2?"
    assert by_id[solves[2]]["metadata"] == {"n": 2}
    assert by_id[solves[2]]["usage"]["nodes"] == 1


async def test_a_list_can_be_of_one_status(house: House) -> None:
    waiting, failed = await house.submit(), await house.submit()
    await house.finish(failed, FAILED)

    async def listed(status: str) -> list[str]:
        page = (await house.http.get("/solve", params={"status": status})).json()
        return [one["id"] for one in page["solves"]]

    assert await listed("queued") == [waiting]
    assert await listed("failed") == [failed]
    assert await listed("completed") == []


async def test_a_long_goal_is_listed_with_its_beginning(house: House) -> None:
    await house.submit(goal="Why? " * 100)
    [one] = (await house.http.get("/solve")).json()["solves"]

    assert one["goal"] == ("Why? " * 100)[:200]


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=101", "status=lost", "cursor=x", "cursor=%20", "cursor=bm9uZQ"]
)
async def test_a_list_that_cannot_be_is_refused(house: House, query: str) -> None:
    problem = assert_problem(await house.http.get(f"/solve?{query}"), 422, "invalid_input")
    assert problem["errors"][0]["field"] == f"query.{query.partition('=')[0]}"


async def test_a_tree_is_read_on_with_its_cursor(house: House) -> None:
    solve = await house.submit()
    await grow(house, solve, 4)
    pages, cursor = [], ""
    while cursor is not None:
        query = {"limit": "2", **({"cursor": cursor} if cursor else {})}
        page = (await house.http.get(f"/solve/{solve}/tree", params=query)).json()
        pages.append([node["path"] for node in page["nodes"]])
        cursor = page["next"]

    assert pages == [["0", "0.0"], ["0.1", "0.2"], ["0.3"]]
    assert_problem(await house.http.get(f"/solve/{solve}/tree?cursor=LTE"), 422, "invalid_input")


async def test_nodes_tell_what_they_spent_themselves(house: House) -> None:
    solve = await house.submit()
    await grow(house, solve, 2)
    page = (await house.http.get(f"/solve/{solve}/tree")).json()
    spent = [node["spent"] for node in page["nodes"]]

    assert [(one["llm_calls"], one["prompt_tokens"]) for one in spent] == [(1, 3), (0, 0), (0, 0)]
    detail = (await house.http.get(f"/solve/{solve}/nodes/0")).json()
    assert detail["spent"] == spent[0]


async def test_a_failed_solve_is_resumed_and_finishes(house: House) -> None:
    solve = await house.submit()
    await house.finish(solve, FAILED)
    house.queue.hints.clear()
    reply = await house.http.post(f"/solve/{solve}/resume")

    assert (reply.status_code, reply.json()["status"]) == (202, "queued")
    assert reply.headers["Location"] == f"/solve/{solve}"
    assert reply.headers["Retry-After"] == "1"
    assert [hint.paths for hint in house.queue.hints] == [("0",)]
    await house.finish(solve, FINE)
    result = (await house.http.get(f"/solve/{solve}")).json()
    assert (result["status"], result["answer"]) == ("completed", "So.")
    [one] = (await house.http.get("/solve")).json()["solves"]
    assert one["generation"] == 2


async def test_finished_siblings_are_kept_and_only_what_failed_runs_again(house: House) -> None:
    solve = await house.submit()
    await grow(house, solve, 3)
    for path, outcome in (("0.0", FINE), ("0.1", FAILED), ("0.2", FINE)):
        claimed = await house.claim(solve, path)
        await house.store.finish(claimed.lease, outcome, log=None)
    await house.finish(solve, Outcome(status="ok", answer="Half.", complete=False))
    before = (await house.http.get(f"/solve/{solve}/tree")).json()["nodes"]
    house.queue.hints.clear()
    await house.http.post(f"/solve/{solve}/resume")
    after = (await house.http.get(f"/solve/{solve}/tree")).json()["nodes"]

    assert [hint.paths for hint in house.queue.hints] == [("0.1",)]
    assert [node["status"] for node in after] == ["suspended", "finished", "queued", "finished"]
    assert (after[1], after[3]) == (before[1], before[3])


async def test_a_resume_can_wait_for_the_end(house: House) -> None:
    solve = await house.submit()
    await house.finish(solve, FAILED)
    house.queue.sent.clear()
    waiting = asyncio.create_task(
        house.http.post(f"/solve/{solve}/resume", headers={"Prefer": "wait=60"})
    )
    await house.queue.sent.wait()
    await house.finish(solve, FINE)
    reply = await waiting

    assert (reply.status_code, reply.json()["answer"]) == (200, "So.")
    assert reply.headers["Preference-Applied"] == "wait=60"


async def test_repeating_a_resume_changes_nothing(house: House) -> None:
    solve = await house.submit()
    await house.finish(solve, FAILED)
    first = await house.http.post(f"/solve/{solve}/resume")
    second = await house.http.post(f"/solve/{solve}/resume")

    assert (second.status_code, second.json()) == (202, first.json())
    assert (await house.store.get_tree(solve)).generation == 2


async def test_a_complete_solve_has_nothing_to_resume(house: House) -> None:
    solve = await house.submit()
    await house.finish(solve, FINE)
    reply = await house.http.post(f"/solve/{solve}/resume", json={"extra": {"tokens": 5}})

    assert (reply.status_code, reply.json()["status"]) == (200, "completed")
    assert (await house.store.get_tree(solve)).generation == 1


async def test_a_running_solve_takes_no_extra_budget(house: House) -> None:
    solve = await house.submit()
    reply = await house.http.post(f"/solve/{solve}/resume", json={"extra": {"tokens": 5}})

    assert_problem(reply, 409, "still_running")


async def test_extra_budget_is_added_once_for_one_key(house: House) -> None:
    solve = await house.submit(limits={"max_tokens": 1_000, "max_nodes": 3})
    await house.finish(solve, FAILED)
    held = (await house.store.get_node(solve, "0")).budget
    for _ in range(2):
        reply = await house.http.post(
            f"/solve/{solve}/resume",
            json={"extra": {"tokens": 500, "nodes": 7}, "deadline_s": 5.0},
            headers={"Idempotency-Key": "mine"},
        )
        assert reply.status_code == 202
    record = await house.store.get_tree(solve)

    assert (await house.store.get_node(solve, "0")).budget == held.refund(
        Budget(tokens=500, nodes=7)
    )
    assert record.generation == 2
    assert record.deadline_at - record.created_at < 600.0


@pytest.mark.parametrize(
    "body",
    [
        {"extra": {"tokens": -1}},
        {"extra": {"cost_usd": 1.0}},
        {"extra": {"gold": 1}},
        {"deadline_s": 0},
        {"budget": {}},
    ],
)
async def test_a_resume_that_cannot_be_is_refused(house: House, body: dict[str, object]) -> None:
    solve = await house.submit()
    await house.finish(solve, FAILED)

    assert_problem(await house.http.post(f"/solve/{solve}/resume", json=body), 422, "invalid_input")
    assert (await house.store.get_tree(solve)).generation == 1


async def test_a_trace_tells_of_every_node(house: House) -> None:
    solve = await house.submit()
    await grow(house, solve, 2)
    reply = await house.http.get(f"/solve/{solve}/trace")
    trace = reply.json()

    assert reply.headers["Content-Type"] == "application/json"
    assert trace["otherData"]["solve"] == solve
    names = {one["name"] for one in trace["traceEvents"] if one["ph"] == "X"}
    assert {"node 0", "model: answer"} <= names
    assert len([one for one in trace["traceEvents"] if one["ph"] == "s"]) == 2


async def test_a_large_trace_is_sent_in_pieces(house: House) -> None:
    solve = await house.submit(limits={"max_nodes": 5_000, "max_tokens": 10_000_000})
    await grow(house, solve, 3_000)
    tree = await house.store.get_tree(solve)
    pieces = [piece async for piece in stream_of(tree, house.store)]

    assert len(pieces) > 3
    assert max(len(piece) for piece in pieces) < 70_000
    assert len(json.loads(b"".join(pieces))["traceEvents"]) > 3_000


async def test_a_deleted_solve_is_gone(house: House) -> None:
    solve = await house.submit()
    await house.finish(solve, FINE)
    first = await house.http.delete(f"/solve/{solve}")
    second = await house.http.delete(f"/solve/{solve}")

    assert (first.status_code, first.content, second.status_code) == (204, b"", 204)
    assert "Content-Type" not in first.headers
    for path in ("", "/tree", "/events", "/trace", "/nodes/0"):
        assert_problem(await house.http.get(f"/solve/{solve}{path}"), 404, "not_found")
    assert (await house.http.get("/solve")).json() == {"solves": [], "next": None}


async def test_a_running_solve_is_not_deleted(house: House) -> None:
    solve = await house.submit()

    problem = assert_problem(await house.http.delete(f"/solve/{solve}"), 409, "still_running")
    assert "cancel" in problem["hint"]
    await house.http.post(f"/solve/{solve}/cancel")
    assert (await house.http.delete(f"/solve/{solve}")).status_code == 204


async def test_what_was_never_there_is_gone_and_what_is_no_id_is_not_found(house: House) -> None:
    never = tree_id("default", "never", house.settings.num_shards)

    assert (await house.http.delete(f"/solve/{never}")).status_code == 204
    assert_problem(await house.http.delete("/solve/me"), 404, "not_found")
    assert_problem(await house.http.delete(f"/solve/solve_{'0' * 26}ff"), 404, "not_found")


async def test_a_key_may_be_used_again_after_its_solve_was_deleted(house: House) -> None:
    headers = {**ASYNC, "Idempotency-Key": "mine"}
    first = await house.http.post("/solve", json={"goal": "Why?"}, headers=headers)
    await house.finish(first.json()["id"], FINE)
    await house.http.delete(f"/solve/{first.json()['id']}")
    second = await house.http.post("/solve", json={"goal": "How?"}, headers=headers)

    assert (second.status_code, second.json()["status"]) == (202, "queued")
