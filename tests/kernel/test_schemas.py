from __future__ import annotations

import json

import pytest
from jsonschema import Draft202012Validator

from banyan.action import LETTERS, Kind, parse
from banyan.errors import InvalidAction, InvalidSchema
from banyan.schemas import EXPECTS, Bounds, check_answer, check_schema, open_schema, schema_for

BOUNDS = Bounds(
    answer_tokens=64,
    num_passages=3,
    num_documents=2,
    max_parts=8,
    explicit_children=True,
    tools=("look",),
)

EXAMPLES: dict[Kind, list[str]] = {
    "answer": ['{"answer": "yes", "citations": [1, 3]}'],
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
    assert validator.is_valid({"answer": "a", "citations": [3]})
    assert not validator.is_valid({"answer": "a", "citations": [4]})
    assert not validator.is_valid({"answer": "a", "citations": []})


def test_an_expected_schema_constrains_the_answer() -> None:
    expects = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    bounds = Bounds(
        answer_tokens=64,
        num_passages=0,
        num_documents=0,
        max_parts=2,
        explicit_children=True,
        expects=expects,
    )
    validator = Draft202012Validator(schema_for("answer", bounds))
    assert validator.is_valid({"answer": {"n": 3}})
    assert not validator.is_valid({"answer": "three"})
    check_answer({"n": 3}, expects)
    with pytest.raises(InvalidAction, match="does not match"):
        check_answer({"n": "3"}, expects)
    with pytest.raises(InvalidAction, match="text"):
        check_answer(3, None)


def test_the_open_schema_lets_each_object_name_its_own_kind() -> None:
    validator = Draft202012Validator(open_schema(("answer", "delegate"), BOUNDS))
    assert validator.is_valid({"kind": "answer", "answer": "a", "citations": [1]})
    assert validator.is_valid(
        {"kind": "delegate", "brief": "", "split": {"goal": "g", "expects": None}}
    )
    assert not validator.is_valid({"kind": "read", "document": 1})


def test_what_children_may_be_asked_for_is_itself_a_json_schema() -> None:
    asked = {
        "type": "object",
        "properties": {"count": {"type": "integer"}},
        "required": ["count"],
    }
    Draft202012Validator(EXPECTS).validate(asked)
    check_schema(asked)


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "banana"},
        {"properties": 3},
        {"$ref": "https://example.org/schema.json"},
        {"properties": {"a": {"$ref": "other.json#/x"}}},
    ],
)
def test_what_is_no_schema_or_refers_elsewhere_is_refused(schema: dict[str, object]) -> None:
    with pytest.raises(InvalidSchema):
        check_schema(schema)


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
