from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from banyan import counts
from banyan.aggregates import merge
from banyan.errors import InvalidAction
from banyan.limits import Limits
from banyan.policy import BASE, Policies
from banyan.testing import ScriptedEngine
from tests.growing import Grower, by_number, is_to_label, outcome, rule

LABELS = ("fruit", "tool")
WORDS = ("apple", "hammer", "pear", "saw", "stone")
LABEL_OF = {"apple": "fruit", "pear": "fruit", "hammer": "tool", "saw": "tool"}
RECORDS = "".join(f"record {n}: {WORDS[n * 7 % 5]} number {n}\n" for n in range(1_000))


def counts_records(prompt: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    """Divide, label what is shown line by line, and report the sums as they stand there."""
    if "split" in properties:
        split = {"goal": "label the records", "labels": list(LABELS)}
        return {"brief": "", "split": split}
    if is_to_label(properties):
        shown = re.findall(r"record \d+: (\w+)", prompt)
        return {"answer": by_number([LABEL_OF.get(word, counts.NO_LABEL) for word in shown])}
    [sums] = re.findall(r"\[1\] (.*in all\))", prompt)
    return {"answer": f"They are counted: {sums}", "citations": [1]}


@pytest.mark.parametrize("window", [1_024, 4_096])
async def test_records_are_labelled_by_leaves_and_added_up_exactly(window: int) -> None:
    grower = Grower(ScriptedEngine(rule=rule(counts_records), window=window))
    tree = await grower.grow("How many are fruit, how many tools?", RECORDS)
    assert tree.status == "completed"
    fruit = sum(LABEL_OF.get(WORDS[n * 7 % 5]) == "fruit" for n in range(1_000))
    tools = sum(LABEL_OF.get(WORDS[n * 7 % 5]) == "tool" for n in range(1_000))
    assert f"fruit {fruit} times" in str(outcome(tree).answer)
    assert f"tool {tools} times" in str(outcome(tree).answer)
    [covered] = outcome(tree).covered
    assert (covered.start, covered.end) == (0, len(RECORDS))


async def test_dividing_and_adding_up_ask_no_model() -> None:
    grower = Grower(ScriptedEngine(rule=rule(counts_records), window=1_024))
    tree = await grower.grow("How many are fruit, how many tools?", RECORDS)
    nodes, _ = await grower.store.list_nodes(tree.id, offset=0, limit=10_000)
    inner = [node.path for node in nodes if node.num_children and node.path != "0"]
    assert inner
    for path in inner:
        first, last = await grower.turns(tree.id, path)
        assert (first.decision.kind, last.decision.kind) == ("delegate", "answer")
        assert first.completion_tokens == last.completion_tokens == 0
    usage = tree.usage
    # Each leaf wrote its labels, and the root its split and the answer.
    assert usage.determined_actions == 2 * len(inner)
    assert usage.actions == usage.nodes - 1 - len(inner) + 2
    assert (usage.invalid_actions, usage.retries) == (0, 0)


FEW = RECORDS[:4_000]
NUM_FEW = FEW.count("\n") + 1


async def labelled(grower: Grower, **limits: int) -> list[str]:
    """The prompts in which records were labelled."""
    goal = "How many are fruit, how many tools?"
    tree = await grower.grow(goal, FEW, limits=Limits(**limits))
    assert tree.status == "completed"
    return [
        call.prompt.messages[-1].content
        for call in grower.engine.calls
        if call.schema and is_to_label({"answer": {}} | call.schema["properties"])
    ]


@pytest.mark.parametrize("at_once", [1, 4])
async def test_no_record_is_cut_in_two_however_long_it_is(at_once: int) -> None:
    policies = Policies([BASE.model_copy(update={"records_at_once": at_once})], live=BASE.version)
    lengths = [40 if number % 9 == 4 else 1 + number % 3 for number in range(60)]
    listed = [f"- record {n}: {' '.join(['apple'] * k)}\n" for n, k in enumerate(lengths)]
    preamble = "These are the things that a shop sold in a year. " * 8 + "\n\n"
    text = preamble + "".join(listed)
    engine = ScriptedEngine(rule=rule(counts_records), window=1_024)
    tree = await Grower(engine, policies=policies).grow("How many are fruit?", text)
    assert tree.status == "completed"
    assert "fruit 60 times" in str(outcome(tree).answer)
    [covered] = outcome(tree).covered
    assert (covered.start, covered.end) == (0, len(text))


@pytest.mark.parametrize("at_once", [1, 4])
async def test_few_records_are_labelled_at_a_time(at_once: int) -> None:
    few = BASE.model_copy(update={"records_at_once": at_once})
    engine = ScriptedEngine(rule=rule(counts_records), window=1_024)
    prompts = await labelled(Grower(engine, policies=Policies([few], live=few.version)))
    shown = [len(re.findall(r"record \d+:", prompt)) for prompt in prompts]
    assert sum(shown) == NUM_FEW
    assert max(shown) == at_once


async def test_many_records_are_labelled_at_a_time_where_there_are_no_nodes_for_them() -> None:
    engine = ScriptedEngine(rule=rule(counts_records), window=1_024)
    prompts = await labelled(Grower(engine), max_nodes=12)
    shown = [re.findall(r"record (\d+):", prompt) for prompt in prompts]
    assert {number for numbers in shown for number in numbers} == {*map(str, range(NUM_FEW))}
    assert max(map(len, shown)) > 4


async def test_who_labels_is_not_told_what_it_is_for() -> None:
    def only_some(prompt: str, properties: Mapping[str, Any]) -> dict[str, Any]:
        reply = counts_records(prompt, properties)
        if "split" in reply:
            reply["split"]["only"] = "those with even numbers"
        return reply

    engine = ScriptedEngine(rule=rule(only_some), window=1_024)
    prompts = await labelled(Grower(engine))
    assert len(prompts) > NUM_FEW // 5
    for prompt in prompts:
        assert "How many" not in prompt
        assert "Labels: fruit, tool. Only these records count: those with even numbers." in prompt


def test_one_label_alone_has_another_beside_it() -> None:
    assert counts.goal(["fruit"]).endswith("Labels: fruit, none.")


async def test_a_part_whose_labels_take_too_many_tokens_is_divided_again() -> None:
    short = "".join(f"record {n}: {WORDS[n * 7 % 5]}\n" for n in range(400))
    grower = Grower(ScriptedEngine(rule=rule(counts_records), window=1_024))
    tree = await grower.grow("How many are fruit, how many tools?", short)
    assert tree.status == "completed"
    assert "fruit 160 times" in str(outcome(tree).answer)


@given(st.lists(st.sampled_from([*LABELS, counts.NO_LABEL]), max_size=60), st.integers(0, 60))
def test_counting_does_not_depend_on_how_records_are_divided(labels: list[str], at: int) -> None:
    parts = [part for part in (labels[:at], labels[at:]) if part]
    counted = [counts.count(by_number(part), LABELS, len(part)) for part in parts]
    whole = counts.count(by_number(labels), LABELS, len(labels))
    assert merge(counted, counts.rules(LABELS)) == (whole if parts else None)


@pytest.mark.parametrize(
    "answer",
    [
        {"1": "fruit"},
        {"1": "fruit", "2": "cheese"},
        {"1": "fruit", "3": "fruit"},
        ["fruit", "tool"],
        "fruit",
        None,
    ],
)
def test_what_labels_no_record_is_refused(answer: Any) -> None:
    with pytest.raises(InvalidAction):
        counts.count(answer, LABELS, 2)
