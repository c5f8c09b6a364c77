from __future__ import annotations

import asyncio

import pytest

from banyan.node import Failure, Node, Outcome
from banyan.spans import Span
from banyan.state import unpack
from banyan.task import Task
from banyan.tree import tree_id
from tests.fixtures.waiting import PATIENCE_S
from tests.service.house import ASYNC, TEXT, House, answered, assert_problem
from tests.threads import all_busy


async def test_a_solve_is_accepted_at_once_where_the_caller_prefers_it(house: House) -> None:
    reply = await house.http.post("/solve", json={"goal": "Why?"}, headers=ASYNC)

    assert reply.status_code == 202
    assert reply.headers["Location"] == f"/solve/{reply.json()['id']}"
    assert reply.headers["Retry-After"] == "1"
    assert reply.headers["Preference-Applied"] == "respond-async"
    assert reply.json()["status"] == "queued"


async def test_a_solve_is_admitted_with_its_root_and_budget(house: House) -> None:
    document = await house.upload()
    await house.submit(
        goal="  Why?  ",
        documents=[{"text": "other"}, {"id": document}],
        limits={"max_nodes": 10, "max_tokens": 5_000, "max_parallel": 3, "deadline_s": 9.0},
        metadata={"ticket": 7},
    )

    [admission] = house.store.admitted
    task, root = unpack(admission.task, Task), unpack(admission.root, Node)
    assert (admission.budget.tokens, admission.budget.nodes) == (5_000, 9)
    assert (admission.max_parallel, admission.deadline_s) == (3, 9.0)
    assert (task.goal, task.policy, task.metadata) == ("Why?", "base", {"ticket": 7})
    assert root.inputs == task.inputs
    assert [len(span) for span in task.inputs] == [len("other"), len(TEXT)]
    assert task.inputs[1] == Span(document=document, start=0, end=len(TEXT))
    assert root.brief.task_goal == "Why?"
    assert [hint.paths for hint in house.queue.hints] == [("0",)]


async def test_a_solve_without_documents_is_admitted(house: House) -> None:
    await house.submit()

    assert unpack(house.store.admitted[0].task, Task).inputs == ()


async def test_a_plain_solve_is_admitted_while_all_threads_are_busy(house: House) -> None:
    with all_busy():
        async with asyncio.timeout(PATIENCE_S):
            await house.submit(goal="Why?")

    assert len(house.store.admitted) == 1


async def test_a_solve_with_a_schema_is_checked_beside_the_loop(house: House) -> None:
    with all_busy():
        submitting = asyncio.create_task(house.submit(answer_schema={"type": "object"}))
        reply = await house.http.get("/healthz")
        assert (reply.status_code, house.store.admitted) == (200, [])
    await submitting

    assert len(house.store.admitted) == 1


async def test_a_broker_that_is_gone_does_not_fail_the_request(house: House) -> None:
    house.queue.broken = True

    await house.submit()

    assert len(house.store.admitted) == 1


async def test_waiting_gives_the_finished_result(house: House) -> None:
    waiting = asyncio.create_task(
        house.http.post(
            "/solve",
            json={"goal": "How?", "documents": [{"text": TEXT}]},
            headers={"Prefer": "wait=60"},
        )
    )
    await house.queue.sent.wait()
    document = unpack(house.store.admitted[0].task, Task).inputs[0].document
    await house.finish(house.store.admitted[0].tree_id, answered(document))
    reply = await waiting

    assert reply.status_code == 200
    assert reply.headers["Preference-Applied"] == "wait=60"
    body = reply.json()
    assert (body["status"], body["answer"], body["error"]) == ("completed", "By roots.", None)
    assert body["citations"] == [
        {"document": document, "start": 0, "end": 21, "quote": "A banyan drops roots."}
    ]
    assert body["coverage"]["share"] == 1.0
    assert body["coverage"]["missing"] == []
    assert body["usage"] == {
        "llm_calls": 1,
        "nodes": 1,
        "max_depth": 0,
        "prompt_tokens": 3,
        "cached_tokens": 1,
        "completion_tokens": 2,
        "actions": 1,
        "invalid_actions": 0,
        "retries": 0,
        "determined_actions": 0,
        "coalesced_calls": 0,
        "lost_tokens": 0,
        "cost_usd": 0.0,
        "lost_cost_usd": 0.0,
        "by_policy": {
            "base": {
                "llm_calls": 1,
                "prompt_tokens": 3,
                "cached_tokens": 1,
                "completion_tokens": 2,
                "actions": 1,
                "invalid_actions": 0,
                "retries": 0,
                "determined_actions": 0,
                "coalesced_calls": 0,
                "cost_usd": 0.0,
            }
        },
    }
    assert body["timing"]["critical_path_s"] == 1.0
    assert body["timing"]["sequential_s"] == 3.0
    assert body["policy"] == "base"


async def test_a_wait_that_runs_out_leaves_the_solve_running(house: House) -> None:
    reply = await house.http.post("/solve", json={"goal": "Why?"}, headers={"Prefer": "wait=0"})

    assert reply.status_code == 202
    assert reply.json()["status"] == "queued"
    assert len(house.store.admitted) == 1


async def test_a_service_that_stops_lets_waiting_callers_go(house: House) -> None:
    waiting = asyncio.create_task(house.http.post("/solve", json={"goal": "Why?"}))
    await house.queue.sent.wait()
    house.app.state.ports.stopping.set()

    assert (await waiting).status_code == 202


async def test_the_same_key_and_body_find_the_same_solve(house: House) -> None:
    headers = {**ASYNC, "Idempotency-Key": "mine"}
    body = {"goal": "Why?", "documents": [{"text": TEXT}]}
    first = await house.http.post("/solve", json=body, headers=headers)
    second = await house.http.post("/solve", json=body, headers=headers)

    assert first.json()["id"] == second.json()["id"]
    assert first.json()["id"] == tree_id("default", "mine", house.settings.num_shards)
    assert len(house.store.admitted) == 1


async def test_a_repeated_request_for_a_finished_solve_gives_its_result(house: House) -> None:
    headers = {"Idempotency-Key": "mine"}
    first = await house.http.post("/solve", json={"goal": "Why?"}, headers={**headers, **ASYNC})
    await house.finish(first.json()["id"], Outcome(status="ok", answer="So."))
    second = await house.http.post("/solve", json={"goal": "Why?"}, headers=headers)

    assert (second.status_code, second.json()["answer"]) == (200, "So.")


async def test_the_same_key_with_another_body_is_refused(house: House) -> None:
    headers = {**ASYNC, "Idempotency-Key": "mine"}
    await house.http.post("/solve", json={"goal": "Why?"}, headers=headers)
    reply = await house.http.post("/solve", json={"goal": "How?"}, headers=headers)

    assert_problem(reply, 422, "idempotency_key_reused")
    assert len(house.store.admitted) == 1


async def test_solves_without_a_key_are_different_ones(house: House) -> None:
    assert await house.submit() != await house.submit()


async def test_reading_a_running_solve_shows_no_answer_yet(house: House) -> None:
    solve = await house.submit()
    reply = await house.http.get(f"/solve/{solve}")

    assert reply.status_code == 200
    assert reply.headers["Retry-After"] == "1"
    assert (reply.json()["status"], reply.json()["answer"]) == ("queued", None)
    assert reply.json()["coverage"] is None
    assert set(reply.json()["timing"].values()) == {None}


async def test_reading_can_wait_for_the_end(house: House) -> None:
    solve = await house.submit()
    waiting = asyncio.create_task(house.http.get(f"/solve/{solve}", headers={"Prefer": "wait=60"}))
    await house.finish(solve, Outcome(status="ok", answer="So."))

    assert (await waiting).json()["status"] == "completed"


async def test_an_etag_spares_what_did_not_change(house: House) -> None:
    solve = await house.submit()
    etag = (await house.http.get(f"/solve/{solve}")).headers["ETag"]
    same = await house.http.get(f"/solve/{solve}", headers={"If-None-Match": etag})
    await house.finish(solve, Outcome(status="ok", answer="So."))
    changed = await house.http.get(f"/solve/{solve}", headers={"If-None-Match": etag})

    assert (same.status_code, same.content) == (304, b"")
    assert (changed.status_code, changed.json()["answer"]) == (200, "So.")


@pytest.mark.parametrize(
    ("outcome", "status", "code"),
    [
        (Outcome(status="ok", answer="Half.", complete=False), "partial", None),
        (
            Outcome(
                status="over_budget",
                answer="Half.",
                complete=False,
                failure=Failure(code="out_of_tokens", message="no tokens are left"),
            ),
            "partial",
            "out_of_tokens",
        ),
        (
            Outcome(
                status="failed",
                complete=False,
                failure=Failure(code="engine_refused", message="the engine refused"),
            ),
            "failed",
            "engine_refused",
        ),
    ],
)
async def test_what_went_wrong_is_told_with_what_there_is(
    house: House, outcome: Outcome, status: str, code: str | None
) -> None:
    document = await house.upload()
    solve = await house.submit(documents=[{"id": document}])
    await house.finish(solve, outcome)
    body = (await house.http.get(f"/solve/{solve}")).json()

    assert (body["status"], body["answer"]) == (status, outcome.answer)
    assert (body["error"] or {}).get("code") == code
    assert body["coverage"]["missing"] == [{"document": document, "start": 0, "end": len(TEXT)}]


async def test_cancelling_twice_is_cancelling_once(house: House) -> None:
    solve = await house.submit()
    first = await house.http.post(f"/solve/{solve}/cancel")
    second = await house.http.post(f"/solve/{solve}/cancel")

    assert (first.status_code, first.json()["status"]) == (200, "cancelled")
    assert second.json() == first.json()


async def test_cancelling_a_finished_solve_leaves_it_as_it_is(house: House) -> None:
    solve = await house.submit()
    await house.finish(solve, Outcome(status="ok", answer="So."))
    reply = await house.http.post(f"/solve/{solve}/cancel")

    assert (reply.status_code, reply.json()["status"]) == (200, "completed")


async def test_an_answer_that_follows_a_schema_comes_back_as_json(house: House) -> None:
    schema = {"type": "object", "properties": {"who": {"type": "string"}}}
    solve = await house.submit(answer_schema=schema)
    await house.finish(solve, Outcome(status="ok", answer={"who": "she"}))

    assert unpack(house.store.admitted[0].root, Node).expects == schema
    assert (await house.http.get(f"/solve/{solve}")).json()["answer"] == {"who": "she"}
