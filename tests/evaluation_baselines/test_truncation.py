from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from banyan.evaluation.baselines import make_baseline
from banyan.testing import ANSWER, ScriptedEngine
from tests.evaluation_baselines.texts import ask, assert_within_window, facts, quoted, shown

WINDOW = 512


async def test_a_text_that_fits_is_read_whole_in_one_call() -> None:
    for name in ("head", "head_tail", "refine", "map_reduce", "bm25"):
        engine = ScriptedEngine()
        text = facts(5)
        answered = await make_baseline(name, engine=engine, window=WINDOW).answer(ask(text))
        assert answered.status == "completed"
        assert answered.answer == ANSWER
        assert answered.coverage == 1.0
        assert answered.llm_calls == 1
        assert [quoted(call) for call in engine.calls] == [text]


async def test_head_fills_the_window_to_its_last_token() -> None:
    engine = ScriptedEngine()
    text = facts(400)
    answered = await make_baseline("head", engine=engine, window=WINDOW).answer(ask(text))
    (call,) = engine.calls
    assert call.prompt.num_tokens + call.max_tokens == WINDOW
    assert text.startswith(quoted(call))
    assert answered.coverage == pytest.approx(len(quoted(call)) / len(text))


async def test_head_and_tail_share_the_room_and_say_where_the_middle_is_missing() -> None:
    engine = ScriptedEngine()
    text = facts(400)
    answered = await make_baseline("head_tail", engine=engine, window=WINDOW).answer(ask(text))
    (call,) = engine.calls
    head, gap, tail = quoted(call).partition("\n[...]\n")
    assert gap
    assert text.startswith(head)
    assert text.endswith(tail)
    assert abs(await engine.count(head) - await engine.count(tail)) <= 2
    assert WINDOW - 1 <= call.prompt.num_tokens + call.max_tokens <= WINDOW
    assert answered.coverage == pytest.approx((len(head) + len(tail)) / len(text))


@given(
    name=st.sampled_from(["head", "head_tail"]),
    number=st.integers(0, 600),
    words=st.integers(1, 40),
    window=st.integers(200, 3_000),
)
async def test_truncation_never_exceeds_the_window_and_wastes_none_of_it(
    name: str, number: int, words: int, window: int
) -> None:
    engine = ScriptedEngine(window=window)
    text = facts(number, words=words)
    answered = await make_baseline(name, engine=engine, window=window).answer(ask(text))
    assert answered.status == "completed"
    assert_within_window(engine, window)
    (call,) = engine.calls
    if answered.coverage is not None and answered.coverage < 1.0:
        assert window - call.prompt.num_tokens - call.max_tokens <= 2


async def test_counting_stays_near_the_window_however_long_the_text_is() -> None:
    engine = ScriptedEngine()
    baseline = make_baseline("head", engine=engine, window=WINDOW)
    await baseline.answer(ask(facts(40_000)))
    assert engine.num_rendered <= 20


async def test_several_documents_are_joined_in_order_under_titles() -> None:
    engine = ScriptedEngine()
    baseline = make_baseline("head", engine=engine, window=WINDOW)
    answered = await baseline.answer(ask("Alpha.", "Beta."))
    (call,) = engine.calls
    assert quoted(call) == "Document 1 of 2:\nAlpha.\n\nDocument 2 of 2:\nBeta."
    assert answered.coverage == 1.0


async def test_a_question_without_documents_is_asked_alone() -> None:
    engine = ScriptedEngine()
    baseline = make_baseline("head", engine=engine, window=WINDOW)
    answered = await baseline.answer(ask(goal="What is two and two?"))
    (call,) = engine.calls
    assert call.prompt.messages[-1].content == "What is two and two?"
    assert answered.coverage is None


async def test_the_goal_stands_behind_the_text() -> None:
    engine = ScriptedEngine()
    await make_baseline("head", engine=engine, window=WINDOW).answer(ask(facts(400), goal="Why?"))
    (call,) = engine.calls
    assert call.prompt.messages[-1].content.endswith("Why?")
    assert shown(call)[0] == 0
