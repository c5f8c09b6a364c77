"""Lists without an end in callers' schemas get one, so that a reply's JSON is closed in time."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from banyan import notices
from banyan.limits import Limits
from banyan.open_lists import closed, is_full
from banyan.references import parts
from banyan.testing import ScriptedEngine
from tests.growing import Grower, outcome, sentences

Schema = dict[str, Any]

CELL: Schema = {"type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 2}
PATH: Schema = {
    "type": "object",
    "properties": {"path": {"type": "array", "items": CELL}},
    "required": ["path"],
}


def most(schema: Schema, tokens: int, *, usual: bool = False) -> int:
    return int(closed(schema, tokens, usual=usual)["properties"]["path"]["maxItems"])


def test_a_list_ends_before_the_answers_tokens_do() -> None:
    num_cells = most(PATH, 240)
    longest = json.dumps({"path": [[240, 241]] * num_cells}, separators=(",", ":"))
    digits_and_marks = len(longest)  # each is a token of its own, to a model like SmolLM2
    assert num_cells >= 20
    assert digits_and_marks / 240 < 1.5
    assert most(PATH, 120) < num_cells


def test_an_end_that_the_caller_set_stays() -> None:
    assert closed({"type": "array", "maxItems": 900}, 20) == {"type": "array", "maxItems": 900}
    assert closed({"type": "string"}, 20) == {"type": "string"}


def test_no_list_is_ended_before_what_the_caller_demands() -> None:
    wanted: Schema = {"allOf": [{"minItems": 70}], "type": "array", "items": {"type": "string"}}
    assert closed(wanted, 20)["maxItems"] == 70


def test_texts_are_thought_short_at_first_and_usual_once_an_answer_was_invalid() -> None:
    names: Schema = {"type": "array", "items": {"type": "string"}}
    assert closed(names, 200)["maxItems"] > 2 * closed(names, 200, usual=True)["maxItems"]


def test_two_lists_share_the_room() -> None:
    both: Schema = {
        "type": "object",
        "properties": {"path": PATH["properties"]["path"], "other": PATH["properties"]["path"]},
    }
    assert 0 < most(both, 240) <= most(PATH, 240) / 2


def test_lists_behind_references_end_too() -> None:
    tree: Schema = {
        "type": "object",
        "properties": {"path": {"$ref": "#/$defs/steps"}},
        "$defs": {"steps": {"type": ["array", "null"], "items": {"type": "string"}}},
    }
    assert 1 < closed(tree, 240)["$defs"]["steps"]["maxItems"] < 60


def test_a_list_at_its_bound_is_full() -> None:
    num = most(PATH, 240)
    assert is_full({"path": [[1, 2]] * num}, PATH, 240)
    assert not is_full({"path": [[1, 2]] * (num - 1)}, PATH, 240)
    assert not is_full({"path": []}, {"type": "object"}, 240)


NAMES = st.sampled_from(["a", "b"])
LEAVES: st.SearchStrategy[Schema] = st.fixed_dictionaries(
    {"type": st.sampled_from(["object", "array", "string", "integer"])},
    optional={"minItems": st.integers(0, 5), "enum": st.just([[1, 2, 3]])},
)


def _nested(one: st.SearchStrategy[Schema]) -> st.SearchStrategy[Schema]:
    several = st.lists(one, min_size=1, max_size=2)
    keywords: dict[str, st.SearchStrategy[Any]] = {
        "type": st.sampled_from(["array", ["array", "null"], "object"]),
        "items": one | st.booleans(),
        "maxItems": st.integers(0, 5),
        "minItems": st.integers(0, 5),
        "prefixItems": several,
        "anyOf": several,
        "allOf": several,
        "properties": st.dictionaries(NAMES, one, max_size=2),
        "$defs": st.dictionaries(NAMES, one, max_size=2),
    }
    return st.fixed_dictionaries({}, optional=keywords)


SCHEMAS = st.recursive(LEAVES, _nested, max_leaves=8)


@given(SCHEMAS, st.integers(1, 500), st.booleans())
def test_every_open_list_gets_an_end_and_nothing_else_changes(
    schema: Schema, tokens: int, usual: bool
) -> None:
    bounded = closed(schema, tokens, usual=usual)
    assert closed(bounded, tokens, usual=usual) == bounded
    added = {
        pointer
        for (pointer, new), (_, old) in zip(parts(bounded), parts(schema), strict=True)
        if {key: one for key, one in new.items() if old.get(key) is None}
    }
    for pointer, part in parts(bounded):
        if part.get("type") == "array" and "enum" not in part and "prefixItems" not in pointer:
            assert "maxItems" in part
        if pointer in added:
            assert part["maxItems"] >= max(1, part.get("minItems", 0))


async def solved(reply: str) -> tuple[Grower, Any]:
    grower = Grower(ScriptedEngine(rule=lambda _, __: reply))
    tree = await grower.grow(
        "Which way?", sentences(20), answer_schema=PATH, limits=Limits(max_answer_tokens=240)
    )
    return grower, tree


def bounds_of(grower: Grower) -> list[int]:
    """The most cells that each call's grammar allowed."""
    return [
        call.schema["properties"]["answer"]["properties"]["path"]["maxItems"]
        for call in grower.engine.calls
        if call.kind == "complete" and call.schema is not None
    ]


async def test_the_model_cannot_write_more_items_than_there_are_tokens_for() -> None:
    grower, _ = await solved('{"answer": {"path": [[1, 2]]}}')
    assert bounds_of(grower) == [most(PATH, 240)]


@pytest.mark.parametrize(("short_by", "told"), [(0, True), (1, False)])
async def test_who_gets_a_full_list_is_told_that_there_may_be_more(
    short_by: int, told: bool
) -> None:
    path: JsonValue = [[1, 2]] * (most(PATH, 240) - short_by)
    _, tree = await solved(json.dumps({"answer": {"path": path}}))
    assert tree.status == "completed"
    assert outcome(tree).answer == {"path": path}
    assert (notices.LIST_BOUNDED in outcome(tree).notices) == told


async def test_a_list_of_the_callers_own_length_is_no_news() -> None:
    path = {**PATH["properties"]["path"], "maxItems": most(PATH, 256)}
    reply = json.dumps({"answer": {"path": [[1, 2]] * most(PATH, 256)}})
    grower = Grower(ScriptedEngine(rule=lambda _, __: reply))
    schema: Schema = {**PATH, "properties": {"path": path}}
    tree = await grower.grow("Which way?", sentences(20), answer_schema=schema)
    assert tree.status == "completed"
    assert notices.LIST_BOUNDED not in outcome(tree).notices
