"""Parts are cut so that they fit beside what their readers are told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from banyan.testing import ScriptedEngine
from tests.growing import Grower, rule, sentences

BRIEF = "Names of ships are in italics, and years are those of the older calendar. " * 8


@pytest.mark.parametrize("num_sentences", range(300, 1_400, 50))
async def test_no_part_is_divided_again_for_the_brief_that_its_reader_gets(
    num_sentences: int,
) -> None:
    def write(prompt: str, properties: Mapping[str, Any]) -> dict[str, Any]:
        del prompt
        if "split" in properties:
            return {"brief": BRIEF, "split": {"goal": "What is said?"}}
        return {"answer": "much", "citations": [1]}

    grower = Grower(ScriptedEngine(rule=rule(write), window=2_048))
    tree = await grower.grow("What is said of topics?", sentences(num_sentences))
    assert tree.status == "completed"
    assert {path.count(".") for path in await grower.paths(tree.id)} == {0, 1}
