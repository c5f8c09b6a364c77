from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from banyan.evaluation.baselines import make_baseline
from banyan.evaluation.baselines.bm25 import ranked
from banyan.testing import ScriptedEngine
from tests.evaluation_baselines.texts import ask, assert_within_window, facts, quoted, shown

WINDOW = 512
NEEDLE = "The walrus keeps its treasures in the lighthouse of Brandon."


def test_the_text_with_the_rare_words_of_the_query_ranks_first() -> None:
    texts = ["The cat sat on the mat.", NEEDLE, "Ships keep away from the coast."]
    assert ranked(texts, "Where does a walrus keep treasure?") == [1, 2, 0]


def test_texts_without_a_word_of_the_query_stay_in_order() -> None:
    assert ranked(["one apple", "two pears", "three plums"], "zebra") == [0, 1, 2]


def test_a_query_of_stop_words_alone_ranks_nothing() -> None:
    assert ranked(["one apple", "two pears"], "what is the") == [0, 1]


@given(place=st.integers(0, 900))
async def test_the_needle_reaches_the_prompt_wherever_it_is(place: int) -> None:
    engine = ScriptedEngine()
    sentences = facts(901).split("\n\n")
    sentences.insert(place % len(sentences), NEEDLE)
    question = ask("\n\n".join(sentences), goal="Where are the treasures of the walrus?")
    answered = await make_baseline("bm25", engine=engine, window=WINDOW).answer(question)
    (call,) = engine.calls
    assert NEEDLE in quoted(call)
    assert answered.llm_calls == 1


async def test_chosen_chunks_stand_in_the_order_of_the_text_and_gaps_are_shown() -> None:
    engine = ScriptedEngine()
    paragraphs = facts(900).split("\n\n")
    paragraphs.insert(250, "The walrus sleeps.")
    paragraphs.insert(50, NEEDLE)
    text = "\n\n".join(paragraphs)
    question = ask(text, goal="What about the treasures of the walrus?")
    answered = await make_baseline("bm25", engine=engine, window=WINDOW).answer(question)
    (call,) = engine.calls
    content = quoted(call)
    assert content.index(NEEDLE) < content.index("\n[...]\n") < content.index("walrus sleeps")
    assert shown(call) == sorted(shown(call))
    chosen = content.replace("\n[...]\n", "")
    assert answered.coverage == pytest.approx(len(chosen) / len(text))


@given(number=st.integers(0, 600), words=st.integers(1, 40), window=st.integers(450, 3_000))
async def test_retrieval_never_exceeds_the_window(number: int, words: int, window: int) -> None:
    engine = ScriptedEngine(window=window)
    question = ask(facts(number, words=words), goal="What does fact 7 say?")
    answered = await make_baseline("bm25", engine=engine, window=window).answer(question)
    assert answered.error is None
    assert_within_window(engine, window)
