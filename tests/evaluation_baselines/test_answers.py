from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from banyan.errors import EngineRefused, EngineUnavailable, InvalidInput
from banyan.evaluation.baselines import BASELINES, make_baseline
from banyan.evaluation.baselines.baseline import Baseline
from banyan.evaluation.baselines.head import head
from banyan.evaluation.baselines.map_reduce import map_reduce
from banyan.evaluation.question import Question
from banyan.ports import Message
from banyan.testing import ScriptedEngine
from tests.evaluation_baselines.texts import ask, facts

WINDOW = 512
SCHEMA = {
    "type": "object",
    "properties": {"count": {"type": "integer"}},
    "required": ["count"],
    "additionalProperties": False,
}


def _counts(messages: Sequence[Message], schema: Mapping[str, Any] | None) -> str:
    del messages
    return "some text" if schema is None else '{"count":3}'


@pytest.mark.parametrize("name", BASELINES)
async def test_the_last_call_alone_is_under_the_schema(name: str) -> None:
    engine = ScriptedEngine(rule=_counts)
    question = Question(
        id="q", bucket="b", goal="Count.", documents=(facts(200),), answer_schema=SCHEMA
    )
    answered = await make_baseline(name, engine=engine, window=1_024).answer(question)
    *others, last = engine.calls
    assert last.schema == SCHEMA
    assert json.dumps(SCHEMA, separators=(",", ":")) in last.prompt.messages[-1].content
    assert all(call.schema is None for call in others)
    assert answered.answer == {"count": 3}


async def test_json_that_was_cut_off_is_a_failure_with_its_end() -> None:
    def rule(messages: Sequence[Message], schema: Mapping[str, Any] | None) -> str:
        del messages, schema
        return '{"count": [1, 2'

    engine = ScriptedEngine(rule=rule)
    question = Question(id="q", bucket="b", goal="Count.", answer_schema=SCHEMA)
    answered = await make_baseline("head", engine=engine, window=WINDOW).answer(question)
    assert answered.status == "failed"
    assert answered.answer is None
    assert "[1, 2" in (answered.error or "")
    assert answered.llm_calls == 1


@pytest.mark.parametrize("name", BASELINES)
async def test_an_error_of_the_engine_is_a_result(name: str) -> None:
    def refuse(messages: Sequence[Message], schema: Mapping[str, Any] | None) -> str:
        del messages, schema
        raise EngineRefused("no")

    engine = ScriptedEngine(rule=refuse)
    answered = await make_baseline(name, engine=engine, window=WINDOW).answer(ask(facts(200)))
    assert (answered.status, answered.error) == ("failed", "engine_refused: no")


async def test_what_was_spent_before_a_failure_is_counted() -> None:
    def rule(messages: Sequence[Message], schema: Mapping[str, Any] | None) -> str:
        del schema
        if "<results>" in messages[-1].content:
            raise EngineRefused("no")
        return "fine"

    engine = ScriptedEngine(rule=rule)
    baseline = make_baseline("map_reduce", engine=engine, window=WINDOW)
    answered = await baseline.answer(ask(facts(200)))
    assert answered.status == "failed"
    assert answered.llm_calls == len(engine.calls) - 1 > 1


@pytest.mark.parametrize("name", BASELINES)
async def test_a_goal_that_exceeds_the_window_is_a_failure(name: str) -> None:
    engine = ScriptedEngine()
    question = ask(facts(200), goal="and so on " * 400)
    answered = await make_baseline(name, engine=engine, window=WINDOW).answer(question)
    assert answered.status == "failed"
    assert (answered.error or "").startswith("prompt_too_long")
    assert not engine.calls


async def test_a_call_without_an_answer_is_tried_again() -> None:
    calls = 0

    def rule(messages: Sequence[Message], schema: Mapping[str, Any] | None) -> str:
        nonlocal calls
        del messages, schema
        calls += 1
        if calls % 2:
            raise EngineUnavailable("busy")
        return "fine"

    engine = ScriptedEngine(rule=rule)
    for method in (head, map_reduce):
        baseline = Baseline("b", method, engine=engine, window=WINDOW, pause_s=0)
        answered = await baseline.answer(ask(facts(10)))
        assert answered.answer == "fine"


async def test_an_engine_that_never_answers_is_a_failure() -> None:
    def rule(messages: Sequence[Message], schema: Mapping[str, Any] | None) -> str:
        del messages, schema
        raise EngineUnavailable("down")

    engine = ScriptedEngine(rule=rule)
    baseline = Baseline("b", head, engine=engine, window=WINDOW, pause_s=0)
    answered = await baseline.answer(ask(facts(10)))
    assert answered.error == "engine_unavailable: down"
    assert len(engine.calls) == 3


async def test_an_engine_that_estimates_gets_shorter_prompts() -> None:
    engine = ScriptedEngine(token_ids=False)
    await make_baseline("head", engine=engine, window=WINDOW).answer(ask(facts(400)))
    (call,) = engine.calls
    assert call.prompt.num_tokens + call.max_tokens == int(0.88 * WINDOW)


async def test_the_engine_is_left_open() -> None:
    engine = ScriptedEngine()
    baseline = make_baseline("head", engine=engine, window=WINDOW)
    await baseline.close()
    assert not engine.closed


async def test_an_unknown_baseline_is_refused_by_name() -> None:
    with pytest.raises(InvalidInput, match="tea_leaves"):
        make_baseline("tea_leaves", engine=ScriptedEngine(), window=WINDOW)
