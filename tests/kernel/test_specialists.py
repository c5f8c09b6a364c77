"""A small model for leaves, a large one for the root: which policy a node runs on, and its cost."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from banyan import schemas
from banyan.node import Node
from banyan.ports import Message
from banyan.state import unpack
from banyan.tree import NodeRecord, TreeRecord
from tests.growing import (
    NEVER_VALID,
    Grower,
    answer_first,
    by_number,
    is_to_label,
    outcome,
    rule,
    sentences,
)
from tests.two_policies import LARGE, SMALL, SMALL_WINDOW, house, split_plainly


async def nodes_of(grower: Grower, tree: TreeRecord) -> list[tuple[NodeRecord, Node]]:
    records, _ = await grower.store.list_nodes(tree.id, offset=0, limit=10_000)
    found = []
    for record in records:
        packed = (await grower.store.get_node(tree.id, record.path)).packed
        assert packed is not None
        found.append((record, unpack(packed, Node)))
    return found


async def test_leaves_are_read_by_the_small_model_and_merged_by_the_large_one() -> None:
    grower = house()
    text = sentences(6_000)
    tree = await grower.grow("Summarise it.", text, leaves="small")
    assert tree.status == "completed"
    for record, node in await nodes_of(grower, tree):
        assert record.policy == node.policy
        [*turns] = await grower.turns(tree.id, record.path)
        assert {turn.policy_version for turn in turns} == {record.policy}
        reads = [turn for turn in turns if "<document>" in turn.prompt_text]
        if record.policy == "large":
            assert record.num_children > 0
            assert not [turn for turn in reads if turn.decision.kind == "answer"]
        else:
            assert all(turn.prompt_tokens < SMALL_WINDOW for turn in turns)
    engine = grower.others["small"]
    assert {call.options.salt for call in engine.calls} == {"acme:small"}
    policies = Counter(record.policy for record, _ in await nodes_of(grower, tree))
    assert policies["small"] > policies["large"] > 1
    covered = sum(len(span) for span in outcome(tree).covered)
    assert covered == len(text)


async def test_costs_add_up_to_the_nano_dollar() -> None:
    grower = house()
    tree = await grower.grow("Summarise it.", sentences(2_000), leaves="small")
    tokens: dict[str, Counter[str]] = {"large": Counter(), "small": Counter()}
    for record, _ in await nodes_of(grower, tree):
        for turn in await grower.turns(tree.id, record.path):
            counter = tokens[turn.policy_version]
            counter["prompt"] += turn.prompt_tokens
            counter["completion"] += turn.completion_tokens
    costs = {
        policy.version: policy.prices.prompt * tokens[policy.version]["prompt"]
        + policy.prices.completion * tokens[policy.version]["completion"]
        for policy in (LARGE, SMALL)
    }
    assert all(costs.values())
    assert {name: one.nano_usd for name, one in tree.usage.by_policy.items()} == costs
    assert tree.usage.nano_usd == sum(costs.values())


async def test_a_part_that_only_has_to_be_divided_costs_no_call() -> None:
    grower = house()
    tree = await grower.grow("Summarise it.", sentences(6_000), leaves="small")
    middles = [
        record
        for record, node in await nodes_of(grower, tree)
        if node.is_part and record.policy == "large"
    ]
    assert middles
    for record in middles:
        [divide, *_] = await grower.turns(tree.id, record.path)
        assert divide.decision.kind == "delegate"
        assert divide.prompt_tokens == divide.completion_tokens == 0


async def test_records_are_counted_exactly_by_leaves_below_parts_that_were_only_divided() -> None:
    def count(prompt: str, properties: Mapping[str, Any]) -> dict[str, Any]:
        if "split" in properties:
            return {"brief": "", "split": {"goal": "label", "labels": ["even", "odd"]}}
        if not is_to_label(properties):
            return answer_first(prompt, properties)
        numbers = re.findall(r"^\[\d+\] number (\d+)$", prompt, re.MULTILINE)
        return {"answer": by_number(["odd" if int(n) % 2 else "even" for n in numbers])}

    grower = house(rule(count))
    grower.others["small"].rule = rule(count)
    lines = "".join(f"number {index}\n" for index in range(3_001))
    tree = await grower.grow("How many are odd?", lines, leaves="small")
    records = [record for record, _ in await nodes_of(grower, tree)]
    assert max(record.path.count(".") for record in records) > 1
    assert {record.policy for record in records if not record.num_children} == {"small"}
    assert "even 1501 times, odd 1500 times" in str(outcome(tree).answer)


async def test_the_root_reads_by_itself_what_it_need_not_hand_out() -> None:
    grower = house()
    tree = await grower.grow("Which topic?", sentences(40), leaves="small")
    assert tree.usage.nodes == 1
    assert set(tree.usage.by_policy) == {"large"}


async def test_an_agent_names_the_policy_of_its_children_where_it_may_choose() -> None:
    offers: list[Any] = []

    def choose_small(prompt: str, properties: Mapping[str, Any]) -> dict[str, Any]:
        if "split" not in properties:
            return answer_first(prompt, properties)
        offers.append((properties["split"]["properties"]["policy"], prompt))
        goal = {"goal": "find it", "policy": "small", "expects": None}
        return {"brief": "look", "split": goal}

    grower = house(rule(choose_small), large_window=2_048)
    tree = await grower.grow(
        "Summarise it.",
        sentences(600),
        policies=("large", "small"),
        gate={"mode": "always"},
    )
    assert tree.status == "completed"
    schema, prompt = offers[0]
    assert schema == {"enum": ["large", "small"]}
    assert "Readers: large (careful), small." in prompt
    assert '"policy": one of ["large", "small"]' in prompt
    below = [record.policy for record, _ in await nodes_of(grower, tree)][1:]
    assert below
    assert set(below) == {"small"}


async def test_a_policy_that_is_not_on_offer_is_an_invalid_action() -> None:
    def choose_badly(prompt: str, properties: Mapping[str, Any]) -> dict[str, Any]:
        if "split" not in properties:
            return answer_first(prompt, properties)
        split = {"goal": "find it", "policy": "huge", "expects": None}
        return {"brief": "look", "split": split}

    grower = house(rule(choose_badly))
    tree = await grower.grow(
        "Summarise it.", sentences(2_000), policies=("large", "small"), gate={"mode": "always"}
    )
    assert await grower.tries(tree) == NEVER_VALID


async def test_descendants_take_the_one_that_they_may_where_the_roots_is_not_for_them() -> None:
    grower = house()
    tree = await grower.grow("Summarise it.", sentences(2_000), policies=("small",))
    found = {record.path: record.policy for record, _ in await nodes_of(grower, tree)}
    assert found.pop("0") == "large"
    assert set(found.values()) == {"small"}


async def test_without_a_choice_prompts_and_schemas_do_not_mention_policies() -> None:
    seen: list[str] = []

    def watch(messages: Sequence[Message], schema: Mapping[str, Any] | None) -> str:
        seen.extend((*(message.content for message in messages), repr(schema)))
        return rule(split_plainly)(messages, schema)

    for task in ({}, {"leaves": "small"}, {"policies": ("small",)}):
        grower = house(watch, large_window=2_048)
        await grower.grow("Summarise it.", sentences(600), gate={"mode": "always"}, **task)
    assert any("'split'" in text for text in seen)
    assert not [text for text in seen if "policy" in text or "Readers" in text]


@pytest.mark.parametrize("form", ["split", "children"])
def test_the_choice_is_required_where_it_is_offered(form: str) -> None:
    bounds = schemas.Bounds(
        answer_tokens=100,
        num_passages=0,
        num_documents=1,
        max_parts=4,
        max_children=4,
        explicit_children=True,
        policies=("large", "small"),
    )
    options = schemas.schema_for("delegate", bounds)["anyOf"]
    [option] = [one["properties"][form] for one in options if form in one["properties"]]
    child = option.get("items", option)
    assert child["properties"]["policy"] == {"enum": ["large", "small"]}
    assert "policy" in child["required"]
