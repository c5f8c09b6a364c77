from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from banyan.attribution import attribute, sentences
from banyan.words import asked, telling, words

PASSAGES = [
    "The mill by the river was built of granite.",
    "Its owner, Ada Brown, sold flour to the whole valley.",
    "A flood in spring broke the wheel.",
]


def test_each_sentence_is_attributed_to_the_passage_it_shares_most_with() -> None:
    answer = "A flood broke the wheel. Ada Brown owned it and sold flour."
    assert attribute(answer, "What happened?", PASSAGES, 4) == (3, 2)


def test_where_the_answer_shares_nothing_the_goal_decides() -> None:
    assert attribute("Yes.", "Was the flour sold?", PASSAGES, 4) == (2,)
    assert attribute("Yes.", "Really?", PASSAGES, 4) == ()


def test_no_more_passages_are_cited_than_were_asked_for() -> None:
    answer = "Granite was used. Flour was sold. The wheel broke."
    assert attribute(answer, "", PASSAGES, 2) == (1, 2)


@given(st.text(max_size=200), st.lists(st.text(max_size=80), max_size=6), st.integers(1, 4))
def test_citations_are_distinct_numbers_of_passages(
    answer: str, passages: list[str], most: int
) -> None:
    cited = attribute(answer, answer, passages, most)
    assert len(set(cited)) == len(cited) <= most
    assert all(1 <= number <= len(passages) for number in cited)


@given(st.text(max_size=300))
def test_sentences_cover_the_text_once(text: str) -> None:
    assert "".join(sentences(text)) == text


def test_what_is_asked_is_the_question_without_its_instructions() -> None:
    goal = "Facts are hidden in a book. Question: Where is Mary? Answer briefly."
    assert telling(asked(goal)) == ["mary"]
    assert asked("Summarise the book.") == "Summarise the book."


def test_words_ignore_case_and_a_plurals_s() -> None:
    assert words("Wheels, WHEEL and glass") == ["wheel", "wheel", "and", "glass"]
    assert telling("Where are the wheels?") == ["wheel"]
