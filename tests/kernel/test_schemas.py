from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from banyan.action import LETTERS, Kind, parse
from banyan.errors import InvalidAction
from banyan.schemas import Bounds, check_answer, check_expects, open_schema, schema_for
from banyan.selection import Named

SENTENCE = "An answer is a whole sentence."

BOUNDS = Bounds(
    answer_tokens=64,
    num_passages=3,
    num_documents=2,
    max_parts=8,
    max_children=8,
    explicit_children=True,
    structured_children=True,
    tools=("look",),
)

EXAMPLES: dict[Kind, list[str]] = {
    "answer": ['{"answer": "Yes, that is what they say.", "citations": [1, 3]}'],
    "delegate": [
        '{"brief": "b", "split": {"goal": "g", "expects": null, "parts": 4, "by": "section"}}',
        (
            '{"brief": "b", "children": [{"goal": "g", "expects": null, '
            '"inputs": [{"document": 2, "start": 5}]}]}'
        ),
    ],
    "read": ['{"document": 1}', '{"document": 2, "start": 4, "end": 90}'],
    "search": ['{"query": "needle", "regex": false}'],
    "note": ['{"text": "remember"}'],
    "use": ['{"tool": "look", "arguments": {"x": 1}}'],
}


@pytest.mark.parametrize("kind", list(LETTERS))
def test_every_kinds_schema_admits_its_examples_and_they_parse(kind: Kind) -> None:
    validator = Draft202012Validator(schema_for(kind, BOUNDS))
    for example in EXAMPLES[kind]:
        validator.validate(json.loads(example))
        assert parse(example, kind).kind == kind


def test_citations_are_a_closed_choice_of_the_numbers_in_the_prompt() -> None:
    validator = Draft202012Validator(schema_for("answer", BOUNDS))
    assert validator.is_valid({"answer": SENTENCE, "citations": [3]})
    assert not validator.is_valid({"answer": SENTENCE, "citations": [4]})
    assert not validator.is_valid({"answer": SENTENCE, "citations": []})


def splits(**asked: Any) -> dict[str, Any]:
    return {"brief": "b", "split": {"goal": "g", "expects": None, **asked}}


def test_a_label_alone_says_nothing() -> None:
    validator = Draft202012Validator(schema_for("delegate", BOUNDS))
    assert validator.is_valid(splits(labels=[]))
    assert validator.is_valid(splits(labels=["ham", "spam"]))
    assert not validator.is_valid(splits(labels=["ham"]))


@pytest.mark.parametrize(("num", "is_valid"), [(1, True), (8, True), (9, False)])
def test_so_many_properties_may_be_asked_for_that_the_object_can_be_closed(
    num: int, *, is_valid: bool
) -> None:
    properties = {f"p{index}": {"type": "integer", "merge": "sum"} for index in range(num)}
    expects = {"type": "object", "properties": properties, "required": ["p0"]}
    validator = Draft202012Validator(schema_for("delegate", BOUNDS))
    assert validator.is_valid(splits(expects=expects)) == is_valid


def test_fields_and_values_are_a_closed_choice_of_what_the_goal_names() -> None:
    named = (Named("User", ("7", "12"), counts=True), Named("Date", ("May",), counts=False))
    validator = Draft202012Validator(schema_for("delegate", replace(BOUNDS, named=named)))
    assert validator.is_valid(splits(where={}, count_by=None))
    assert validator.is_valid(splits(where={"User": ["12"], "Date": ["May"]}, count_by="User"))
    assert not validator.is_valid(splits(where={"User": ["13"]}, count_by=None))
    assert not validator.is_valid(splits(where={"Colour": ["red"]}, count_by=None))
    assert not validator.is_valid(splits(where={}, count_by="Date"))
    assert not validator.is_valid(splits())  # whoever is asked decides
    small = replace(BOUNDS, named=named, structured_children=False)
    assert Draft202012Validator(schema_for("delegate", small)).is_valid(splits())


def test_an_expected_schema_constrains_the_answer() -> None:
    expects = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    bounds = Bounds(
        answer_tokens=64,
        num_passages=0,
        num_documents=0,
        max_parts=2,
        max_children=2,
        explicit_children=True,
        expects=expects,
    )
    validator = Draft202012Validator(schema_for("answer", bounds))
    assert validator.is_valid({"answer": {"n": 3}})
    assert not validator.is_valid({"answer": "three"})
    check_answer({"n": 3}, expects)
    with pytest.raises(InvalidAction, match="answer/n breaks the rule"):
        check_answer({"n": "3"}, expects)
    with pytest.raises(InvalidAction, match="text"):
        check_answer(3, None)


def test_the_open_schema_lets_each_object_name_its_own_kind() -> None:
    validator = Draft202012Validator(open_schema(("answer", "delegate"), BOUNDS))
    assert validator.is_valid({"kind": "answer", "answer": SENTENCE, "citations": [1]})
    assert validator.is_valid(
        {"kind": "delegate", "brief": "", "split": {"goal": "g", "expects": None}}
    )
    assert not validator.is_valid({"kind": "read", "document": 1})


def test_children_may_be_asked_for_flat_objects_alone() -> None:
    flat = {"type": "object", "properties": {"count": {"type": "integer"}}, "required": ["count"]}
    check_expects(flat)
    check_expects(None)
    Draft202012Validator.check_schema(flat)
    for wild in ({"type": "array"}, {**flat, "pattern": "(a+)+$"}, {"$ref": "https://example.org"}):
        with pytest.raises(InvalidAction, match="flat objects"):
            check_expects(wild)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("no json", "not JSON"),
        ("[1]", "not a JSON object"),
        ('{"answer": "a", "extra": 1}', "extra"),
        ("{}", "answer"),
    ],
)
def test_an_invalid_answer_says_what_is_wrong(text: str, complaint: str) -> None:
    with pytest.raises(InvalidAction, match=complaint):
        parse(text, "answer")


def test_delegate_takes_children_or_a_split_but_not_both_or_none() -> None:
    with pytest.raises(InvalidAction, match="either"):
        parse('{"brief": "b"}', "delegate")
    with pytest.raises(InvalidAction, match="without children"):
        parse('{"brief": "b", "children": []}', "delegate")


@pytest.mark.parametrize(
    "answer",
    ["NaN", "1" + "0" * 40, r'"\ud800"', "[" * 5_000 + "]" * 5_000, "[" * 80 + "]" * 80],
)
def test_json_that_cannot_be_kept_is_an_invalid_action(answer: str) -> None:
    with pytest.raises(InvalidAction):
        parse(f'{{"answer": {answer}}}', "answer")


def test_a_callers_pattern_is_matched_in_linear_time() -> None:
    expects = {"type": "object", "properties": {"a": {"type": "string", "pattern": "^(a+)+$"}}}
    check_answer({"a": "aaa"}, expects)
    with pytest.raises(InvalidAction):
        check_answer({"a": "a" * 5_000 + "!"}, expects)


def test_small_models_are_not_offered_to_ask_for_structure() -> None:
    plain = Bounds(
        answer_tokens=64,
        num_passages=1,
        num_documents=1,
        max_parts=4,
        max_children=4,
        explicit_children=False,
    )
    validator = Draft202012Validator(schema_for("delegate", plain))
    expects = {"type": "object", "properties": {}, "required": []}
    assert validator.is_valid({"brief": "b", "split": {"goal": "g", "expects": None}})
    assert not validator.is_valid({"brief": "b", "split": {"goal": "g", "expects": expects}})
