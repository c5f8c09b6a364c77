"""A part that only its parent wants an object from answers in text where its agent writes none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from banyan import notices
from banyan.testing import ScriptedEngine
from tests.growing import Grower, outcome, rule, sentences

FOUND = {"type": "object", "properties": {"found": {"type": "string"}}, "required": ["found"]}
COUNTED = {
    "type": "object",
    "properties": {"found": {"type": "integer", "merge": "count"}},
    "required": ["found"],
}


def asks_for(expects: Mapping[str, Any], shown: list[str]) -> Any:
    """An agent that asks its parts for objects, and writes none itself."""

    def write(prompt: str, properties: Mapping[str, Any]) -> dict[str, Any]:
        if "split" in properties:
            return {"brief": "", "split": {"goal": "find it", "expects": dict(expects)}}
        shown.append(prompt)
        return {"answer": "It is under the step, as somebody said.", "citations": [1]}

    return rule(write)


async def test_parts_answer_in_text_and_the_caller_is_told() -> None:
    shown: list[str] = []
    grower = Grower(ScriptedEngine(rule=asks_for(FOUND, shown), window=1_024))
    tree = await grower.grow("Where is it?", sentences(120))

    result = outcome(tree)
    assert tree.status == "completed"
    assert result.answer == "It is under the step, as somebody said."
    assert notices.ANSWER_IN_TEXT in result.notices
    assert notices.CHILD_FAILED not in result.notices
    assert result.complete
    assert "It is under the step" in shown[-1]  # the root was shown what its parts wrote
    [covered] = result.covered
    assert covered.start == 0


async def test_what_is_merged_exactly_is_no_text() -> None:
    grower = Grower(ScriptedEngine(rule=asks_for(COUNTED, []), window=1_024))
    tree = await grower.grow("How many are there?", sentences(120))

    assert tree.status == "failed"
    assert notices.ANSWER_IN_TEXT not in outcome(tree).notices


async def test_a_callers_schema_is_kept() -> None:
    grower = Grower(ScriptedEngine(rule=asks_for(FOUND, []), window=1_024))
    tree = await grower.grow("Where is it?", sentences(3), answer_schema=FOUND)

    assert tree.status == "failed"
    assert notices.ANSWER_IN_TEXT not in outcome(tree).notices
