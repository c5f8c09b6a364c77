"""The service as a system: what is sent to it, and what is made of its results."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from banyan.client.async_sdk import AsyncClient
from banyan.client.calls import SolveOptions
from banyan.client.results import SolveResult
from banyan.evaluation.question import Question
from banyan.evaluation.records import fingerprint
from banyan.evaluation.service_system import LIMITS, ServiceSystem, answered
from banyan.policy import BASE, Policy
from banyan.prices import Prices
from banyan.prompts import PROMPT_VERSION
from banyan.state import unpack
from banyan.task import Gate, Task
from tests.service.served import Served

TEXT = "A banyan drops roots. The roots become trunks."
ASKED = Question(id="q", bucket="one", goal="How does it grow?", documents=(TEXT,))


@pytest.fixture
async def system(served: Served) -> AsyncIterator[ServiceSystem]:
    options = SolveOptions(gate=Gate(mode="always"), state="summary")
    system = ServiceSystem(AsyncClient(served.url), options)
    yield system
    await system.close()


def admitted(served: Served) -> list[Task]:
    return [unpack(one.task, Task) for one in served.house.store.admitted]


def test_the_settings_are_what_an_answer_depends_on(system: ServiceSystem) -> None:
    assert system.settings == {
        "prompts": PROMPT_VERSION,
        "gate": "always",
        "threshold": None,
        "state": "summary",
        "policy": None,
    }


async def test_other_traits_are_other_settings_and_other_prices_are_not() -> None:
    def mark(policy: Policy) -> str:
        client = AsyncClient("http://127.0.0.1:9")
        return fingerprint(ServiceSystem(client, SolveOptions(), policy=policy).settings, ASKED)

    told_less = BASE.model_copy(update={"word_limits": False})
    assert mark(told_less) != mark(BASE)
    assert mark(BASE.model_copy(update={"prices": Prices(prompt=1)})) == mark(BASE)


@pytest.mark.usefixtures("worker")
async def test_a_question_is_one_solve_with_ample_limits(
    served: Served, system: ServiceSystem
) -> None:
    done = await system.answer(ASKED)
    assert (done.status, done.error) == ("completed", None)
    (task,) = admitted(served)
    assert task.goal == ASKED.goal
    assert task.limits == LIMITS.model_copy(update={"max_answer_tokens": ASKED.answer_tokens})
    assert (task.gate.mode, task.state) == ("always", "summary")


@pytest.mark.usefixtures("worker")
async def test_questions_about_one_document_share_its_upload(
    served: Served, system: ServiceSystem
) -> None:
    other = Question(id="r", bucket="one", goal="What becomes of roots?", documents=(TEXT, TEXT))
    await asyncio.gather(system.answer(ASKED), system.answer(other))
    first, second = admitted(served)
    assert first.inputs == second.inputs


async def test_what_the_service_refuses_is_a_failure_with_its_words(
    system: ServiceSystem,
) -> None:
    schema = {"type": "nonsense"}
    done = await system.answer(Question(id="q", bucket="one", goal="How?", answer_schema=schema))
    assert done.status == "failed"
    assert done.error is not None
    assert "schema" in done.error


async def test_a_service_that_is_not_there_is_a_failure() -> None:
    client = AsyncClient("http://127.0.0.1:9", max_attempts=1)
    system = ServiceSystem(client, SolveOptions())
    done = await system.answer(ASKED)
    await system.close()
    assert done.status == "failed"
    assert "service_unreachable" in (done.error or "")


async def test_stopping_cancels_the_tree(served: Served, system: ServiceSystem) -> None:
    answering = asyncio.create_task(system.answer(ASKED))
    await served.house.queue.sent.wait()
    answering.cancel()
    with pytest.raises(asyncio.CancelledError):
        await answering
    (admission,) = served.house.store.admitted
    assert (await served.house.store.get_tree(admission.tree_id)).status == "cancelled"


def result(**fields: Any) -> SolveResult:
    usual = {"id": "solve_1", "status": "completed", "policy": "base", "answer": "By roots."}
    return SolveResult.model_validate({**usual, **fields})


def test_only_citations_that_stand_in_the_document_are_resolved() -> None:
    there = {"document": "d1", "start": 2, "end": 8, "quote": "banyan"}
    wrong = {"document": "d1", "start": 2, "end": 8, "quote": "willow"}
    strange = {"document": "d9", "start": 0, "end": 1, "quote": "A"}
    done = answered(result(citations=[there, wrong, strange]), {"d0": "", "d1": TEXT})
    assert [(one.document, one.start, one.end) for one in done.citations] == [(1, 2, 8)] * 2
    assert done.resolved == 1


def test_costs_are_those_of_the_whole_tree() -> None:
    usage = {"llm_calls": 5, "nodes": 3, "max_depth": 1, "prompt_tokens": 90, "cached_tokens": 10}
    usage |= {"actions": 4, "invalid_actions": 1, "retries": 2, "determined_actions": 3}
    done = answered(
        result(
            usage={**usage, "completion_tokens": 20},
            timing={"wall_s": 1.5},
            coverage={"share": 0.5, "read_tokens": 5, "total_tokens": 10},
            notices=["stopped_early"],
        ),
        {},
    )
    assert (done.llm_calls, done.nodes, done.depth) == (5, 3, 1)
    assert (done.actions, done.invalid_actions, done.retries) == (4, 1, 2)
    assert done.determined_actions == 3
    assert (done.prompt_tokens, done.cached_tokens, done.completion_tokens) == (90, 10, 20)
    assert (done.seconds, done.coverage, done.notices) == (1.5, 0.5, ("stopped_early",))
