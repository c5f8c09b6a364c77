"""Whole trees through the kernel, on the official twins: what users are promised of a solve."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from banyan import notices
from banyan.budget import Budget
from banyan.errors import EngineRefused, EngineUnavailable, StaleLease
from banyan.in_process import grow
from banyan.limits import Limits
from banyan.spans import size, subtract
from banyan.task import Gate, Task
from banyan.testing import Call, ScriptedEngine
from banyan.tree import tree_id
from tests.growing import (
    NEVER_VALID,
    TENANT,
    Grower,
    answer_first,
    outcome,
    rule,
    sentences,
    split_or_answer,
)

LONG = sentences(2_000)


async def test_what_fits_the_window_is_answered_by_one_node() -> None:
    grower = Grower()
    tree = await grower.grow("What is it about?", sentences(20))
    assert tree.status == "completed"
    assert tree.usage.nodes == 1
    [turn] = await grower.turns(tree.id, "0")
    assert turn.decision.kind == "answer"
    assert turn.decision.score is not None
    assert turn.decision.score < (turn.decision.threshold or 0.0)
    assert (tree.usage.actions, tree.usage.invalid_actions, tree.usage.retries) == (1, 0, 0)


async def test_what_does_not_fit_is_divided_until_it_does_and_all_of_it_is_read() -> None:
    grower = Grower()
    text = sentences(8_000)
    tree = await grower.grow("What is it about?", text)
    assert tree.status == "completed"
    assert tree.usage.max_depth >= 2
    [covered] = outcome(tree).covered
    assert (covered.start, covered.end) == (0, len(text))


async def test_citations_point_to_the_originals_through_all_levels() -> None:
    grower = Grower()
    tree = await grower.grow("What is it about?", LONG)
    assert outcome(tree).citations
    for span in outcome(tree).citations:
        assert (await grower.library.text(TENANT, span)).startswith("Sentence number")
    assert not (await grower.library.info(TENANT, outcome(tree).citations[0].document)).derived


@settings(max_examples=15)
@example(num_sentences=66, window=1_024, mode="sampled", seed=4_294_967_216)
@given(
    st.integers(0, 3_000),
    st.sampled_from([1_024, 2_048, 8_192]),
    st.sampled_from(["threshold", "sampled"]),
    st.integers(0, 2**32),
)
def test_any_tree_ends_covers_its_input_once_and_keeps_its_budget(
    num_sentences: int, window: int, mode: Any, seed: int
) -> None:
    async def run() -> None:
        grower = Grower(ScriptedEngine(rule=rule(split_or_answer), window=window))
        draws = iter(seed * k % 997 / 997 for k in range(1, 100_000))
        ports = grower.ports
        object.__setattr__(ports, "draw", lambda: next(draws))
        text = sentences(num_sentences)
        limits = Limits(max_tokens=3_000_000)
        tree = await grower.grow("Why?", text, gate=Gate(mode=mode), limits=limits)
        assert tree.status in {"completed", "partial"}
        assert size(outcome(tree).covered) <= len(text)
        nodes, total = await grower.store.list_nodes(tree.id, offset=0, limit=100_000)
        held = sum(node.budget.tokens for node in nodes)
        spent = tree.usage.prompt_tokens + tree.usage.completion_tokens
        assert held + spent == limits.max_tokens
        assert sum(node.budget.nodes for node in nodes) + total == limits.max_nodes

    asyncio.run(run())


async def test_results_that_exceed_the_window_are_divided_once_more() -> None:
    def wordy(_: str, properties: Mapping[str, Any]) -> dict[str, Any]:
        if "split" in properties:
            split = {"goal": "find it", "expects": None, "parts": 32}
            return {"brief": "b", "split": split}
        return {"answer": "word " * 90, "citations": [1]}

    grower = Grower(ScriptedEngine(rule=rule(wordy)))
    tree = await grower.grow("What is it about?", LONG)
    assert tree.status == "completed"
    turns = await grower.turns(tree.id, "0")
    assert [turn.decision.kind for turn in turns] == ["delegate", "delegate", "answer"]
    [covered] = outcome(tree).covered
    assert (covered.start, covered.end) == (0, len(LONG))
    for span in outcome(tree).citations:
        assert not (await grower.library.info(TENANT, span.document)).derived


async def test_a_failed_child_costs_its_siblings_nothing_and_is_told_of() -> None:
    def breaks(prompt: str, properties: Mapping[str, Any]) -> dict[str, Any]:
        if "[1] Sentence number 0 " in prompt:
            raise EngineRefused("the server does not like this")
        return split_or_answer(prompt, properties)

    grower = Grower(ScriptedEngine(rule=rule(breaks)))
    tree = await grower.grow("What is it about?", LONG)
    assert tree.status == "partial"
    assert notices.CHILD_FAILED in outcome(tree).notices
    whole = await grower.put(LONG)
    [missing] = subtract([whole], outcome(tree).covered)
    assert missing.start == 0
    assert "engine_refused" not in str(outcome(tree).answer)


async def test_resume_runs_only_what_failed_and_completes_the_answer() -> None:
    is_broken = True

    def breaks(prompt: str, properties: Mapping[str, Any]) -> dict[str, Any]:
        if is_broken and "[1] Sentence number 0 " in prompt:
            raise EngineRefused("not now")
        return split_or_answer(prompt, properties)

    grower = Grower(ScriptedEngine(rule=rule(breaks)))
    tree = await grower.grow("What is it about?", LONG)
    is_broken = False
    before = len(grower.engine.calls)
    _, hints = await grower.store.resume(tree.id, extra=Budget(tokens=0, nodes=0), deadline_s=600.0)
    task = Task(tenant=TENANT, goal="What is it about?", inputs=(await grower.put(LONG),))
    resumed = await grow(task, grower.ports, resumed=(tree.id, hints))
    assert resumed.status == "completed"
    assert resumed.usage.nodes == tree.usage.nodes
    depth = tree.usage.max_depth
    merges_and_leaf = depth + 1
    assert len(grower.engine.calls) - before <= 2 * merges_and_leaf


async def test_an_invalid_action_is_written_again_with_another_sample() -> None:
    replies: Iterator[dict[str, Any]] = iter([{"answer": 3}, {"answer": "yes", "citations": [1]}])

    def stumbles(prompt: str, properties: Mapping[str, Any]) -> dict[str, Any]:
        del prompt, properties
        return next(replies)

    grower = Grower(ScriptedEngine(rule=rule(stumbles)))
    tree = await grower.grow("Is it?", sentences(3))
    assert tree.status == "completed"
    turns = await grower.turns(tree.id, "0")
    assert [(turn.valid, turn.temperature > 0) for turn in turns] == [(False, False), (True, True)]
    usage = tree.usage
    assert (usage.actions, usage.invalid_actions, usage.retries) == (1, 1, 1)


async def test_a_node_that_only_writes_nonsense_fails_with_its_reason() -> None:
    grower = Grower(ScriptedEngine(rule=rule(lambda *_: {"nonsense": 1})))
    tree = await grower.grow("Is it?", sentences(3))
    assert tree.status == "failed"
    failure = outcome(tree).failure
    assert failure is not None
    assert failure.code == "invalid_action"
    turns = await grower.turns(tree.id, "0")
    assert [turn.valid for turn in turns] == [False] * len(turns)
    usage = tree.usage
    assert (usage.actions, usage.invalid_actions, usage.retries) == (1, 1, len(turns) - 1)


async def test_inputs_are_divided_without_a_brief_where_none_is_written_in_valid_form() -> None:
    def divides_badly(prompt: str, properties: Mapping[str, Any]) -> dict[str, Any]:
        return {"brief": 3} if "split" in properties else split_or_answer(prompt, properties)

    grower = Grower(ScriptedEngine(rule=rule(divides_badly)))
    tree = await grower.grow("What is it about?", LONG)
    assert tree.status == "completed"
    assert outcome(tree).notices == (notices.DIVIDED_WITHOUT_BRIEF,)
    assert outcome(tree).complete
    assert await grower.tries(tree) == NEVER_VALID


async def test_a_citation_of_a_passage_that_was_not_shown_is_invalid() -> None:
    grower = Grower(ScriptedEngine(rule=rule(lambda *_: {"answer": "a", "citations": [99]})))
    tree = await grower.grow("Is it?", sentences(3))
    assert tree.status == "failed"


async def test_an_answer_that_is_cut_off_is_kept_and_told_of() -> None:
    long_answer = {"answer": "so " * 2_000, "citations": [1]}
    grower = Grower(ScriptedEngine(rule=rule(lambda *_: long_answer)))
    tree = await grower.grow("Is it?", sentences(3))
    assert tree.status == "completed"
    assert str(outcome(tree).answer).startswith("so so so")
    assert outcome(tree).notices == (notices.ANSWER_CUT,)


async def test_tokens_that_run_out_give_the_best_partial_answer() -> None:
    grower = Grower()
    tree = await grower.grow("What is it about?", LONG, limits=Limits(max_tokens=21_000))
    assert tree.status == "partial"
    assert notices.BUDGET_RAN_OUT in outcome(tree).notices
    assert "Sentence number" in str(outcome(tree).answer)
    assert tree.usage.prompt_tokens + tree.usage.completion_tokens <= 21_000


async def test_a_deadline_ends_a_tree_with_what_there_is() -> None:
    grower = Grower()

    async def time_passes(call: Call) -> None:
        del call
        grower.now += 30.0

    grower.engine.hold = time_passes
    tree = await grower.grow("What is it about?", LONG, limits=Limits(deadline_s=120))
    assert tree.status in {"partial", "failed"}
    assert notices.BUDGET_RAN_OUT in outcome(tree).notices


async def test_at_depth_zero_a_long_input_is_read_in_sequence() -> None:
    grower = Grower(ScriptedEngine(rule=rule(read_then_answer), scores=None))
    tree = await grower.grow("What is it about?", sentences(200), limits=Limits(max_depth=0))
    turns = await grower.turns(tree.id, "0")
    kinds = [turn.decision.kind for turn in turns]
    assert kinds[0] == "read"
    assert kinds[-1] == "answer"
    assert tree.usage.nodes == 1
    assert outcome(tree).covered[0].start == 0


def read_then_answer(prompt: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    if "document" in properties and "query" not in properties:
        return {"document": 1}
    return answer_first(prompt, properties)


async def test_never_means_that_no_node_delegates() -> None:
    grower = Grower(ScriptedEngine(rule=rule(read_then_answer), scores=None))
    tree = await grower.grow("What is it about?", LONG, gate=Gate(mode="never"))
    assert tree.usage.nodes == 1


async def test_always_means_that_every_node_delegates_while_it_can() -> None:
    grower = Grower()
    text = sentences(100)
    limits = Limits(max_depth=2)
    tree = await grower.grow("What is it about?", text, gate=Gate(mode="always"), limits=limits)
    assert tree.usage.max_depth == 2
    [turn, _] = await grower.turns(tree.id, "0")
    assert turn.decision.forced
    assert turn.decision.score is None


async def test_a_likely_delegation_is_taken_although_the_input_fits() -> None:
    engine = ScriptedEngine(
        rule=rule(split_or_answer), scores=lambda _, kinds: dict.fromkeys(kinds, -1.0)
    )
    grower = Grower(engine)
    limits = Limits(max_depth=1)
    gate = Gate(mode="threshold", threshold=-0.5)
    tree = await grower.grow("What is it about?", sentences(20), gate=gate, limits=limits)
    assert tree.usage.nodes > 1
    [turn, _] = await grower.turns(tree.id, "0")
    assert turn.decision.score == pytest.approx(0.0)
    assert turn.decision.threshold == -0.5


async def test_an_engine_without_scores_lets_the_window_decide_and_says_so() -> None:
    engine = ScriptedEngine(rule=rule(split_or_answer), scores=None, token_ids=False)
    tree = await Grower(engine).grow("What is it about?", LONG)
    assert tree.status == "completed"
    assert notices.GATE_WITHOUT_SCORES in outcome(tree).notices


async def test_search_finds_a_needle_without_reading_everything() -> None:
    text = f"{sentences(1_000)} The needle is made of zinc. {sentences(1_000)}"

    def searches(prompt: str, properties: Mapping[str, Any]) -> dict[str, Any]:
        if "query" in properties:
            return {"query": "needle"}
        assert "made of zinc" in prompt
        return {"answer": "zinc", "citations": [1]}

    def prefers(_: object, kinds: tuple[str, ...]) -> dict[str, float]:
        order = ["answer", "search", "read", "note", "delegate"]
        return {kind: -10.0 * order.index(kind) for kind in kinds}

    grower = Grower(ScriptedEngine(rule=rule(searches), scores=prefers))  # type: ignore[arg-type]
    tree = await grower.grow("What is the needle made of?", text)
    assert outcome(tree).answer == "zinc"
    assert tree.usage.nodes == 1
    assert tree.usage.prompt_tokens < 5_000
    [span] = outcome(tree).citations
    assert "zinc" in await grower.library.text(TENANT, span)


async def test_the_answer_keeps_to_the_callers_schema() -> None:
    schema = {
        "type": "object",
        "properties": {"count": {"type": "integer"}},
        "required": ["count"],
        "additionalProperties": False,
    }
    replies: Iterator[dict[str, Any]] = iter(
        [{"answer": {"count": "three"}}, {"answer": {"count": 3}}]
    )
    grower = Grower(ScriptedEngine(rule=rule(lambda *_: {**next(replies), "citations": [1]})))
    tree = await grower.grow("How many?", sentences(3), answer_schema=schema)
    assert outcome(tree).answer == {"count": 3}


async def test_children_return_what_their_parent_expects_of_them() -> None:
    expects = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}

    def counts(prompt: str, properties: Mapping[str, Any]) -> dict[str, Any]:
        if "split" in properties:
            return {"brief": "count", "split": {"goal": "count", "expects": expects}}
        if "<results>" in prompt:
            assert '{"n": 2}' in prompt
            return {"answer": "two each", "citations": [1]}
        return {"answer": {"n": 2}, "citations": [1]}

    grower = Grower(ScriptedEngine(rule=rule(counts)))
    limits = Limits(max_depth=1)
    tree = await grower.grow("How many?", sentences(300), limits=limits)
    assert tree.status == "completed"
    child = await grower.store.get_node(tree.id, "0.0")
    assert child.outcome is not None
    assert child.outcome.answer == {"n": 2}


@pytest.mark.parametrize("copied", ["What to find out", "what to find out."])
async def test_the_words_of_an_example_are_no_goal(copied: str) -> None:
    def copies(prompt: str, properties: Mapping[str, Any]) -> dict[str, Any]:
        if "split" in properties:
            return {"brief": "", "split": {"goal": copied, "expects": None}}
        return answer_first(prompt, properties)

    grower = Grower(ScriptedEngine(rule=rule(copies)))
    tree = await grower.grow("What is said of topics?", sentences(400))
    assert tree.status == "completed"
    asked = [call.prompt.messages[-1].content for call in grower.engine.calls]
    assert not any("Goal: What to find out" in prompt for prompt in asked)
    assert sum("Goal: What is said of topics?" in prompt for prompt in asked) == len(asked) > 3


async def test_listed_children_get_the_goals_and_ranges_that_their_parent_wrote() -> None:
    def lists(prompt: str, properties: Mapping[str, Any]) -> dict[str, Any]:
        if "children" in properties:
            inputs = [{"document": 1, "start": 0, "end": 90}]
            return {
                "brief": "each its own",
                "children": [
                    {"goal": "first", "expects": None, "inputs": inputs},
                    {"goal": "second", "expects": None, "inputs": [{"document": 2}]},
                ],
            }
        return answer_first(prompt, properties)

    engine = ScriptedEngine(
        rule=rule(lists), scores=lambda _, kinds: {k: -float(k != "delegate") * 9 for k in kinds}
    )
    grower = Grower(engine)
    limits = Limits(max_depth=1)
    tree = await grower.grow("Both?", sentences(20), "Another. " * 20, limits=limits)
    assert await grower.paths(tree.id) == ["0", "0.0", "0.1"]
    prompts = [(await grower.turns(tree.id, path))[0].prompt_text for path in ("0.0", "0.1")]
    assert "Goal: first" in prompts[0]
    assert "Brief: each its own" in prompts[0]
    assert "Goal: second" in prompts[1]
    assert "Another." in prompts[1]


async def test_a_child_as_large_as_its_parent_is_refused() -> None:
    def copies_itself(prompt: str, properties: Mapping[str, Any]) -> dict[str, Any]:
        if "children" in properties:
            child = {"goal": "same", "expects": None, "inputs": [{"document": 1}]}
            return {"brief": "b", "children": [child]}
        return answer_first(prompt, properties)

    grower = Grower(ScriptedEngine(rule=rule(copies_itself)))
    tree = await grower.grow("Why?", sentences(30), gate=Gate(mode="always"))
    assert await grower.tries(tree) == NEVER_VALID


async def test_the_roots_answer_streams_before_the_root_finishes() -> None:
    grower = Grower()
    tree = await grower.grow("What is it about?", LONG)
    events = [event async for event in grower.store.events(tree.id)]
    deltas = [event for event in events if event.type == "answer.delta"]
    text = ""
    for event in deltas:
        offset = event.data["offset"]
        assert isinstance(offset, int)
        text = text[:offset] + str(event.data["text"])
    assert text == outcome(tree).answer
    assert events.index(deltas[0]) < len(events) - 2
    assert [event.seq for event in events] == list(range(1, len(events) + 1))


async def test_a_worker_that_dies_costs_the_call_in_flight_and_nothing_else() -> None:
    grower = Grower()
    started = asyncio.Event()

    async def hang(call: Call) -> None:
        del call
        started.set()
        await asyncio.Event().wait()

    grower.engine.hold = hang
    inputs = (await grower.put(sentences(5)),)
    task = Task(tenant=TENANT, goal="Why?", inputs=inputs, limits=Limits(deadline_s=86_400))
    doomed = asyncio.create_task(grow(task, grower.ports, key="one"))
    await started.wait()
    doomed.cancel()
    await asyncio.gather(doomed, return_exceptions=True)
    grower.engine.hold = None
    grower.now += 4_000.0
    hints = await grower.store.reap()
    [node] = [path for hint in hints for path in hint.paths]
    assert node == "0"
    tree = await grow(task, grower.ports, resumed=(hints[0].tree_id, hints))
    assert tree.status == "completed"
    assert tree.usage.lost_tokens > 0
    events = [event.type async for event in grower.store.events(tree.id)]
    assert events.count("node.finished") == 1


async def test_a_cancelled_nodes_late_result_is_refused() -> None:
    grower = Grower()

    async def cancel(call: Call) -> None:
        del call
        await grower.store.cancel(tree_id(TENANT, "one", 1))

    grower.engine.hold = cancel
    task = Task(tenant=TENANT, goal="Why?", inputs=(await grower.put(sentences(5)),))
    with pytest.raises(StaleLease):
        await grow(task, grower.ports, key="one")


async def test_a_call_that_is_not_answered_in_time_is_made_again_however_long_it_took() -> None:
    patience_s = 0.5
    late = iter([True])

    async def hold(call: Call) -> None:
        del call
        if next(late, False):
            await asyncio.sleep(2 * patience_s)
            raise EngineUnavailable("did not answer in time")

    grower = Grower(ScriptedEngine(rule=rule(split_or_answer), hold=hold))
    grower.ports = replace(grower.ports, engine_patience_s=patience_s)

    tree = await grower.grow("What is it about?", sentences(20))

    assert (tree.status, next(late, None)) == ("completed", None)
