"""JSON that ends too early is closed behind the last whole item of a list."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from banyan import notices
from banyan.action import Delegate
from banyan.cut_json import closed
from banyan.effects import Generate, Generated
from banyan.errors import InvalidAction
from banyan.node import Decision
from banyan.reply import read
from banyan.testing import ScriptedEngine
from tests.growing import Grower, outcome, sentences

PATH: dict[str, Any] = {
    "type": "object",
    "properties": {
        "path": {
            "type": "array",
            "items": {"type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 2},
        }
    },
    "required": ["path"],
}
VALUES: st.SearchStrategy[JsonValue] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=20,
)


@pytest.mark.parametrize(
    ("cut", "kept"),
    [
        ('{"a": [[1, 2], [3, 4], [5', '{"a": [[1, 2], [3, 4]]}'),
        ('{"a": [10, 20, 3', '{"a": [10, 20]}'),  # it may have been 30
        ('{"a": ["x, y]", "z', '{"a": ["x, y]"]}'),
        ('{"a": ["\\"", "\\\\", "', '{"a": ["\\"", "\\\\"]}'),
        (
            '{"a": [{"b": [1, 2, 3], "c"',
            None,
        ),  # its first item is not whole, and b is no list to end
        ('{"a": [{"b": [1, 2', '{"a": [{"b": [1]}]}'),  # none of the outer list is whole
        ('{"a": [{"b": [1, 2]}, {"b": [3, 4', '{"a": [{"b": [1, 2]}]}'),
        ('{"a": {"b": [1], "c": [2, 3', '{"a": {"b": [1], "c": [2]}}'),
        ('{"a": [1', None),
        ('{"a": "text, and', None),
        ('{"a": [1, 2]}', None),
        ("", None),
        ("]", None),
    ],
)
def test_what_is_kept_of_it(cut: str, kept: str | None) -> None:
    assert closed(cut) == kept


@given(st.dictionaries(st.text(max_size=3), VALUES, min_size=1), st.data())
def test_whatever_is_cut_is_json_again_and_says_nothing_new(
    value: dict[str, JsonValue], data: st.DataObject
) -> None:
    text = json.dumps(value)
    cut = text[: data.draw(st.integers(0, len(text) - 1))]
    kept = closed(cut)
    if kept is not None:
        assert _is_part(json.loads(kept), value)
        assert cut.startswith(kept.rstrip("]}"))


def _is_part(kept: JsonValue, whole: JsonValue) -> bool:
    """Whether `kept` is `whole`, but that lists and objects may end sooner."""
    if isinstance(kept, dict) and isinstance(whole, dict):
        return all(name in whole and _is_part(one, whole[name]) for name, one in kept.items())
    if isinstance(kept, list) and isinstance(whole, list):
        return len(kept) <= len(whole) and all(map(_is_part, kept, whole))
    return kept == whole


async def test_a_list_whose_tokens_run_out_is_an_answer_at_the_first_try() -> None:
    path = [[n, 1_000_000_000 + n] for n in range(2_000)]
    grower = Grower(ScriptedEngine(rule=lambda _, __: json.dumps({"answer": {"path": path}})))
    tree = await grower.grow("Find the path.", sentences(3), answer_schema=PATH)

    assert tree.status == "completed"
    answer = outcome(tree).answer
    assert isinstance(answer, dict)
    kept = answer["path"]
    assert isinstance(kept, list)
    assert kept
    assert kept == path[: len(kept)]
    assert notices.ANSWER_CUT in outcome(tree).notices
    assert (tree.usage.actions, tree.usage.invalid_actions) == (1, 0)


def test_a_list_of_children_that_is_cut_is_no_delegation() -> None:
    children = [{"goal": "Part?"}] * 2
    written = json.dumps({"kind": "delegate", "brief": "so", "children": children})
    decision = Decision(kind=None, mode="always", forced=False)
    effect = Generate((), "", decision, {}, 100, ())
    whole, _ = read(Generated(effect, written, cut=False, seconds=0.0, token_ids=None))
    assert isinstance(whole, Delegate)
    with pytest.raises(InvalidAction):
        read(Generated(effect, written[:-2] + ", {", cut=True, seconds=0.0, token_ids=None))
