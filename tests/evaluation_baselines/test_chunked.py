from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from banyan.evaluation.baselines import make_baseline
from banyan.ports import Message
from banyan.testing import Call, ScriptedEngine
from tests.evaluation_baselines.texts import ask, assert_within_window, facts, quoted, shown

WINDOW = 512


def _numbers(messages: Sequence[Message], schema: Mapping[str, Any] | None) -> str:
    """Write so many words that results and notes are as long as they may be."""
    del messages, schema
    return "result " * 400


async def test_map_reduce_asks_every_chunk_exactly_once() -> None:
    engine = ScriptedEngine()
    text = facts(200)
    baseline = make_baseline("map_reduce", engine=engine, window=WINDOW)
    answered = await baseline.answer(ask(text))
    mapped = [call for call in engine.calls if shown(call)]
    assert len(mapped) > 5
    assert "".join(quoted(call) for call in mapped) == text
    assert answered.coverage == 1.0
    assert answered.llm_calls == len(engine.calls)
    assert answered.prompt_tokens == sum(call.prompt.num_tokens for call in engine.calls)


async def test_map_reduce_shows_every_result_to_the_last_call_in_order() -> None:
    def rule(messages: Sequence[Message], schema: Mapping[str, Any] | None) -> str:
        del schema
        content = messages[-1].content
        return f"first is {content.split()[2]}" if "Fact " in content else "the end"

    engine = ScriptedEngine(rule=rule)
    text = facts(60)
    baseline = make_baseline("map_reduce", engine=engine, window=WINDOW)
    answered = await baseline.answer(ask(text))
    *mapped, last = engine.calls
    expected = [f"first is {shown(call)[0]}" for call in mapped]
    lines = [f"[{number}] {result}" for number, result in enumerate(expected, 1)]
    assert "\n".join(lines) in last.prompt.messages[-1].content
    assert answered.answer == "the end"


async def test_map_reduce_leaves_out_parts_that_have_nothing_on_the_task() -> None:
    def rule(messages: Sequence[Message], schema: Mapping[str, Any] | None) -> str:
        del schema
        content = messages[-1].content
        if "<results>" in content:
            return "the end"
        return "It is fact 7." if "Fact 7 " in content else "NOTHING."

    engine = ScriptedEngine(rule=rule)
    await make_baseline("map_reduce", engine=engine, window=WINDOW).answer(ask(facts(200)))
    content = engine.calls[-1].prompt.messages[-1].content
    assert "[1] It is fact 7.\n</results>" in content


async def test_map_reduce_collapses_results_that_exceed_the_window() -> None:
    engine = ScriptedEngine(rule=_numbers)
    baseline = make_baseline("map_reduce", engine=engine, window=WINDOW)
    answered = await baseline.answer(ask(facts(400), answer_tokens=64))
    assert answered.status == "completed"
    collapsed = [
        call
        for call in engine.calls[:-1]
        if "results for neighbouring parts" in call.prompt.messages[-1].content
    ]
    assert len(collapsed) >= 2
    assert_within_window(engine, WINDOW)


async def test_map_reduce_has_eight_calls_in_flight_and_never_more() -> None:
    engine = ScriptedEngine()
    eight = asyncio.Event()

    async def until_eight(call: Call) -> None:
        del call
        if engine.in_flight == 8:
            eight.set()
        await eight.wait()
        await asyncio.sleep(0)

    engine.hold = until_eight
    await make_baseline("map_reduce", engine=engine, window=WINDOW).answer(ask(facts(400)))
    assert engine.max_in_flight == 8


async def test_refine_reads_every_chunk_once_and_in_order() -> None:
    engine = ScriptedEngine()
    text = facts(200)
    answered = await make_baseline("refine", engine=engine, window=WINDOW).answer(ask(text))
    assert len(engine.calls) > 5
    assert "".join(quoted(call) for call in engine.calls) == text
    assert engine.max_in_flight == 1
    assert answered.coverage == 1.0


async def test_refine_carries_the_answer_so_far_from_call_to_call() -> None:
    def rule(messages: Sequence[Message], schema: Mapping[str, Any] | None) -> str:
        del schema
        known = messages[-1].content.partition("<answer_so_far>\n")[2].partition("\n</")[0]
        return f"{known}+" if known else "start"

    engine = ScriptedEngine(rule=rule)
    answered = await make_baseline("refine", engine=engine, window=WINDOW).answer(ask(facts(200)))
    assert answered.answer == "start" + "+" * (len(engine.calls) - 1)


@given(
    name=st.sampled_from(["refine", "map_reduce"]),
    number=st.integers(0, 500),
    words=st.integers(1, 60),
    window=st.integers(400, 3_000),
    answer_tokens=st.integers(8, 100),
)
async def test_chunked_methods_cover_any_text_and_never_exceed_the_window(
    name: str, number: int, words: int, window: int, answer_tokens: int
) -> None:
    engine = ScriptedEngine(rule=_numbers, window=window)
    text = facts(number, words=words)
    question = ask(text, answer_tokens=answer_tokens)
    answered = await make_baseline(name, engine=engine, window=window).answer(question)
    assert answered.error is None
    assert_within_window(engine, window)
    seen = [fact for call in engine.calls for fact in shown(call)]
    assert set(seen) == set(range(number))
    assert answered.coverage == (1.0 if number else None)


async def test_a_text_without_any_boundary_is_still_cut() -> None:
    for name in ("refine", "map_reduce"):
        engine = ScriptedEngine()
        text = "#!" * 3_000
        await make_baseline(name, engine=engine, window=WINDOW).answer(ask(text))
        assert "".join(quoted(call) for call in engine.calls) == text
        assert_within_window(engine, WINDOW)
