"""From a chat to a goal and documents: nothing of it is lost, and what is asked stays asked."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.facade.conversation import MAX_ASK_CHARS, MAX_INLINE_CHARS, Ask, Said, ask_of
from service.facade.stops import Stops
from service.problems import Refused
from tests.facade.texts import LONG

CODE = "\n".join(f"line_{index} = {index}" for index in range(300))


def asked(*turns: Said) -> tuple[str, list[str]]:
    ask: Ask = ask_of(turns)
    return ask.goal, [document.text or "" for document in ask.documents]


def user(text: str) -> Said:
    return Said("user", text)


def test_short_messages_are_the_goal() -> None:
    assert asked(Said("instructions", "Be brief."), user("Why?")) == ("Be brief.\n\nWhy?", [])


def test_first_and_last_paragraph_ask_and_the_rest_is_a_document() -> None:
    goal, documents = asked(user(f"Read this:\n\n{LONG}\n\nWhat is it about?"))
    assert goal == "Read this:\n\n[document 1]\n\nWhat is it about?"
    assert documents == [LONG]


def test_long_fenced_parts_are_documents_wherever_they_stand() -> None:
    goal, documents = asked(user(f"What does\n```python\n{CODE}\n```\nprint, and why?"))
    assert goal == "What does\n[document 1]\nprint, and why?"
    assert documents == [CODE]


def test_marked_documents_are_documents() -> None:
    text = f"Compare.\n<document>{LONG}</document>\n<document>{CODE}</document>"
    goal, documents = asked(user(text))
    assert goal == "Compare.\n[document 1]\n[document 2]"
    assert documents == [LONG, CODE]


def test_an_earlier_message_may_be_the_document() -> None:
    goal, documents = asked(user(LONG), Said("assistant", "Noted."), user("How many sections?"))
    assert documents == [LONG.partition("\n\n")[2]]  # its first paragraph is short, and stays
    assert goal.endswith("assistant: Noted.\n\nNow:\nHow many sections?")


def test_a_text_under_instructions_needs_no_question() -> None:
    goal, documents = asked(Said("instructions", "Summarise what comes."), user("x" * 5_000))
    assert (goal, documents) == ("Summarise what comes.\n\n[document 1]", ["x" * 5_000])


def test_a_text_alone_asks_nothing() -> None:
    with pytest.raises(Refused, match="nothing says what to do"):
        ask_of([user("x" * 5_000)])


def test_a_long_conversation_is_a_document() -> None:
    turns = [
        Said("assistant" if index % 2 else "user", f"{index}: {'y' * 90}") for index in range(40)
    ]
    goal, [document] = asked(*turns, user("And now?"))
    assert goal == "Earlier in this conversation:\n[document 1]\n\nNow:\nAnd now?"
    assert document.startswith("user: 0: yyy")
    assert "assistant: 39: " in document


def test_files_are_documents_that_the_message_points_to() -> None:
    ask = ask_of([Said("user", "Compare.", ("doc_1", "doc_2"))], num_given=1)
    assert ask.goal == "Compare.\n\n[document 2]\n\n[document 3]"
    assert [document.id for document in ask.documents] == ["doc_1", "doc_2"]


@given(st.lists(st.text("ab \n`", max_size=900), min_size=1, max_size=8))
def test_no_word_of_a_message_is_lost(paragraphs: list[str]) -> None:
    text = "\n\n".join(["Ask.", *paragraphs])
    ask = ask_of([user(text)])
    kept = "".join([ask.goal, *(document.text or "" for document in ask.documents)])
    for letter in "ab":
        assert kept.replace("[document", "").count(letter) == text.count(letter)
    assert len(ask.goal) <= MAX_INLINE_CHARS + 2 * MAX_ASK_CHARS


@given(st.text("abc", max_size=12), st.lists(st.text("abc", min_size=1, max_size=3), max_size=3))
def test_what_is_certain_before_the_end_is_never_taken_back(text: str, stops: list[str]) -> None:
    ends = Stops(tuple(stops))
    final = ends.cut(text)
    for length in range(len(text) + 1):
        assert final.startswith(ends.certain(text[:length]))
