from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import JsonValue

from banyan import notices
from banyan.aggregates import Rules, as_line, merge, rules_of, schema_of
from banyan.errors import EngineRefused, InvalidAction
from banyan.node import Brief, Divided, Node
from banyan.outcomes import begin_again
from banyan.schemas import check_expects
from banyan.testing import ScriptedEngine
from tests.growing import NEVER_VALID, Grower, Write, answer_first, outcome, rule

EXPECTS = {
    "type": "object",
    "properties": {
        "ham": {"type": "integer", "merge": "count"},
        "spam": {"type": "integer", "merge": "count"},
        "bytes": {"type": "integer", "merge": "sum"},
        "shortest": {"type": "number", "merge": "min"},
        "longest": {"type": "number", "merge": "max"},
        "senders": {"type": "array", "merge": "union"},
    },
    "required": ["ham", "spam", "bytes"],
}
RULES = rules_of(EXPECTS)

numbers = st.one_of(st.integers(-9, 9), st.sampled_from([0.5, 1.0, -2.25]))
results = st.fixed_dictionaries(
    {"ham": st.integers(0, 9), "spam": st.integers(0, 9), "bytes": st.integers(0, 10**30)},
    optional={
        "shortest": numbers,
        "longest": numbers,
        "senders": st.lists(st.sampled_from(["ann", "bob", "eve"])),
    },
)


@given(st.lists(results, min_size=1, max_size=12), st.lists(st.integers(0, 12), max_size=4))
def test_merging_does_not_depend_on_how_an_input_was_divided(
    parts: list[JsonValue], cuts: list[int]
) -> None:
    edges = [0, *sorted(min(cut, len(parts)) for cut in cuts), len(parts)]
    groups = [parts[a:b] for a, b in pairwise(edges)]
    by_levels = merge([merge(group, RULES) for group in groups], RULES)
    assert repr(by_levels) == repr(merge(parts, RULES))


@given(results)
def test_a_part_alone_is_the_whole_and_a_failed_one_adds_nothing(part: dict[str, Any]) -> None:
    once = merge([part], RULES)
    assert once is not None
    assert merge([None, once, None], RULES) == once
    assert {name: once[name] for name in ("ham", "spam", "bytes")} == {
        name: part[name] for name in ("ham", "spam", "bytes")
    }


def test_each_rule_does_what_it_says() -> None:
    first: dict[str, JsonValue] = {
        "ham": 2,
        "spam": 0,
        "bytes": 10,
        "shortest": 3,
        "longest": 4,
        "senders": ["a", "b"],
    }
    second: dict[str, JsonValue] = {
        "ham": 1,
        "spam": 5.0,
        "bytes": 7,
        "shortest": 3.5,
        "senders": ["b", "c"],
    }
    assert merge([first, second], RULES) == {
        "ham": 3,
        "spam": 5,
        "bytes": 17,
        "shortest": 3,
        "longest": 4,
        "senders": ["a", "b", "c"],
    }


@pytest.mark.parametrize(
    "parts",
    [["three"], [{"ham": True}], [{"ham": "1"}], [{"ham": 1.5}], [{"eggs": 1}], [{"senders": [1]}],
     [{"ham": 1}, 2], [], [None]],
)  # fmt: skip
def test_what_is_no_partial_result_is_not_merged(parts: list[JsonValue]) -> None:
    assert merge(parts, RULES) is None


def test_without_rules_nothing_is_merged() -> None:
    assert rules_of(None) == {}
    assert rules_of({"type": "object", "properties": {"n": {"type": "integer"}}}) == {}
    assert merge([{"n": 1}], {}) is None


@pytest.mark.parametrize(
    ("properties", "complaint"),
    [
        ({"n": {"type": "integer", "merge": "sum"}, "why": {"type": "string"}}, "'why' has none"),
        ({"n": {"type": "number", "merge": "sum"}}, "must be integer"),
        ({"n": {"type": "string", "merge": "union"}}, "must be array"),
    ],
)
def test_rules_that_would_not_be_exact_are_refused(
    properties: Mapping[str, Any], complaint: str
) -> None:
    with pytest.raises(InvalidAction, match=complaint):
        rules_of({"type": "object", "properties": properties, "required": []})


def test_rules_are_stated_for_a_split_alone_and_are_a_closed_set() -> None:
    check_expects(EXPECTS, merges=True)
    with pytest.raises(InvalidAction):
        check_expects(EXPECTS)
    wild = {**EXPECTS, "properties": {"n": {"type": "integer", "merge": "average"}}}
    with pytest.raises(InvalidAction):
        check_expects(wild, merges=True)


@given(results)
def test_the_schema_for_a_part_takes_what_can_be_merged(part: dict[str, Any]) -> None:
    schema = schema_of(EXPECTS)
    assert schema is not None
    assert "merge" not in str(schema)
    validator = Draft202012Validator(schema)
    assert validator.is_valid(part)
    assert not validator.is_valid({**part, "eggs": 1})
    assert not validator.is_valid({**part, "senders": [1]})


def test_a_merged_result_shows_order_and_ties() -> None:
    assert as_line({"ham": 1, "spam": 3}, {"ham": "count", "spam": "count"}) == (
        "spam 3 times, ham 1 time (4 in all); most common: spam; least common: ham"
    )
    rules: Rules = {"a": "count", "b": "count", "c": "count", "names": "union", "most": "max"}
    merged: dict[str, JsonValue] = {"a": 2, "b": 5, "c": 2, "names": ["x", "y"], "most": 1.5}
    assert as_line(merged, rules) == (
        "b 5 times, a 2 times, c 2 times (9 in all); most common: b; least common: a and c; "
        "a and c are equal; names: x, y; most: 1.5"
    )


# --- Whole trees ---------------------------------------------------------------------------------

RECORDS = "".join(
    f"mail {n} from {'ann' if n % 3 else 'bob'}: {'spam' if n % 5 == 0 else 'ham'} of {n} bytes\n"
    for n in range(900)
)


def reads_mail(expects: Mapping[str, Any] = EXPECTS) -> Write:
    def write(prompt: str, properties: Mapping[str, Any]) -> dict[str, Any]:
        if "split" in properties:
            return {"brief": "", "split": {"goal": "tell", "expects": expects, "by": "line"}}
        if properties["answer"].get("type") == "object":
            mails = re.findall(r"mail \d+ from (\w+): (\w+) of (\d+) bytes", prompt)
            sizes = [int(size) for _, _, size in mails]
            kinds = [kind for _, kind, _ in mails]
            return {
                "answer": {
                    "ham": kinds.count("ham"),
                    "spam": kinds.count("spam"),
                    "bytes": sum(sizes),
                    "shortest": min(sizes, default=0),
                    "longest": max(sizes, default=0),
                    "senders": list(dict.fromkeys(sender for sender, _, _ in mails)),
                },
                "citations": [1],
            }
        results = re.search(r"<results>\n\[1\] (.*)\n</results>(?:\n(.*read in part.*))?", prompt)
        assert results is not None
        return {"answer": f"{results[1]} | {results[2] or 'all of it'}", "citations": [1]}

    return write


@pytest.mark.parametrize("window", [1_024, 4_096])
async def test_partial_results_merge_exactly_at_every_level(window: int) -> None:
    grower = Grower(ScriptedEngine(rule=rule(reads_mail()), window=window))
    tree = await grower.grow("What was in the letters?", RECORDS)
    assert tree.status == "completed"
    assert outcome(tree).answer == (
        f"ham 720 times, spam 180 times (900 in all); most common: ham; least common: spam; "
        f"bytes: {sum(range(900))}; "
        "shortest: 0; longest: 899; senders: bob, ann | all of it"
    )
    assert outcome(tree).citations
    nodes, _ = await grower.store.list_nodes(tree.id, offset=0, limit=10_000)
    inner = [node.path for node in nodes if node.num_children and node.path != "0"]
    assert bool(inner) == (window == 1_024)
    for path in inner:
        [*_, last] = await grower.turns(tree.id, path)
        assert last.completion_tokens == last.prompt_tokens == 0


async def test_what_failed_is_missing_from_the_result_and_said() -> None:
    def breaks(prompt: str, properties: Mapping[str, Any]) -> dict[str, Any]:
        if "[1] mail 0 " in prompt:
            raise EngineRefused("the server does not like this")
        return reads_mail()(prompt, properties)

    grower = Grower(ScriptedEngine(rule=rule(breaks), window=1_024))
    tree = await grower.grow("What was in the letters?", RECORDS)
    assert tree.status == "partial"
    assert notices.CHILD_FAILED in outcome(tree).notices
    merged, _, told = str(outcome(tree).answer).partition(" | ")
    assert re.fullmatch(r"1 of \d+ parts were read in part only\.", told)
    counted = re.search(r"\((\d+) in all\)", merged)
    assert counted is not None
    assert 0 < int(counted[1]) < 900


async def test_an_agent_that_owes_a_partial_result_cannot_ask_its_parts_for_another() -> None:
    other = {
        "type": "object",
        "properties": {"n": {"type": "integer", "merge": "sum"}},
        "required": ["n"],
    }

    def changes(prompt: str, properties: Mapping[str, Any]) -> dict[str, Any]:
        expects = other if "This is a part of the question" in prompt else EXPECTS
        return reads_mail(expects)(prompt, properties)

    grower = Grower(ScriptedEngine(rule=rule(changes), window=1_024))
    tree = await grower.grow("What was in the letters?", RECORDS)
    assert "(900 in all)" in str(outcome(tree).answer)


def test_a_re_opened_node_still_merges_what_its_first_children_return() -> None:
    brief = Brief(task_goal="g")
    rules: Rules = {"n": "sum"}
    node = Node(path="0", goal="g", brief=brief, child_rules=rules)
    assert begin_again(node, 2, 3).child_rules == rules
    divided = Divided(inputs=(), num_children=3, child_rules=rules)
    later = node.model_copy(update={"child_rules": {}, "divided": divided})
    assert begin_again(later, 2, 5).child_rules == rules


def test_a_re_opened_node_tells_what_stays_true_and_nothing_of_results() -> None:
    told = (notices.ANSWER_IN_TEXT, notices.CHILD_FAILED, notices.HEADER_LEFT_OUT)
    node = Node(path="0", goal="g", brief=Brief(task_goal="g"), notices=told)
    assert begin_again(node, 2, 3).notices == (notices.ANSWER_IN_TEXT, notices.HEADER_LEFT_OUT)


async def test_rules_that_do_not_suit_make_the_action_invalid() -> None:
    wrong = {
        "type": "object",
        "properties": {"n": {"type": "number", "merge": "sum"}},
        "required": ["n"],
    }

    def divides_badly(prompt: str, properties: Mapping[str, Any]) -> dict[str, Any]:
        divides = "split" in properties
        return reads_mail(wrong)(prompt, properties) if divides else answer_first(prompt, {})

    grower = Grower(ScriptedEngine(rule=rule(divides_badly), window=1_024))
    tree = await grower.grow("What was in the letters?", RECORDS)
    assert await grower.tries(tree) == NEVER_VALID
    with pytest.raises(InvalidAction, match="must be integer"):
        rules_of(wrong)
