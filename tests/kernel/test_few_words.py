"""An answer that may have a few tokens alone is asked for, and may be, a few words."""

from __future__ import annotations

import pytest

from banyan.limits import FEW_WORDS_TOKENS, Limits
from banyan.testing import ScriptedEngine
from banyan.testing.scripted import Call
from tests.growing import Grower, outcome, sentences

WORD = '{"answer": "Bob", "citations": [1]}'


def asked(grower: Grower) -> Call:
    """The call that wrote the answer of the root."""
    *_, last = [call for call in grower.engine.calls if call.kind == "complete"]
    return last


@pytest.mark.parametrize("tokens", [1, 4, FEW_WORDS_TOKENS])
async def test_one_word_is_an_answer_where_few_tokens_are_wanted(tokens: int) -> None:
    grower = Grower(ScriptedEngine(rule=lambda _, __: WORD))
    limits = Limits(max_answer_tokens=tokens)
    tree = await grower.grow("Who won?", sentences(40), limits=limits)
    assert outcome(tree).answer == "Bob"
    call = asked(grower)
    assert call.schema is not None
    text = call.schema["properties"]["answer"]
    assert text["minLength"] == 1 <= text["maxLength"]
    assert "in a few words" in call.prompt.messages[-1].content


async def test_sentences_are_asked_for_where_the_answer_may_be_longer() -> None:
    grower = Grower(ScriptedEngine())
    limits = Limits(max_answer_tokens=FEW_WORDS_TOKENS + 1)
    await grower.grow("Who won?", sentences(40), limits=limits)
    call = asked(grower)
    assert call.schema is not None
    assert call.schema["properties"]["answer"]["minLength"] > 1
    assert "in full sentences" in call.prompt.messages[-1].content


async def test_parts_answer_in_a_few_words_too() -> None:
    grower = Grower()
    limits = Limits(max_answer_tokens=8)
    tree = await grower.grow("What is said of topics?", sentences(2_000), limits=limits)
    assert tree.usage.nodes > 2
    answers = [
        turn
        for path in await grower.paths(tree.id)
        for turn in await grower.turns(tree.id, path)
        if turn.decision.kind == "answer"
    ]
    assert all("in a few words" in turn.prompt_text for turn in answers)


async def test_an_answer_from_a_few_places_does_not_see_how_the_document_begins() -> None:
    hay = sentences(4_000)
    text = f"Once upon a time. {hay} The lighthouse keeper hid the amber key. {hay}"
    grower = Grower(ScriptedEngine())
    await grower.grow("Where is the amber key?", text)
    choice, answer = (call.prompt.messages[-1].content for call in grower.engine.calls[-2:])
    assert "It begins: Once upon a time." in choice
    assert "Once upon a time." not in answer
    assert "hid the amber key" in answer
