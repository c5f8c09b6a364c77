from __future__ import annotations

import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from banyan.partial_answer import AnswerStream, PlainStream, cut_answer, whole_sentences

texts = st.text(st.characters(exclude_categories=["Cs"]))


@given(texts, st.booleans(), st.lists(st.integers(0, 400), max_size=12))
def test_pieces_of_the_answer_add_up_to_the_answer(
    answer: str, ascii_only: bool, cuts: list[int]
) -> None:
    raw = json.dumps({"answer": answer, "citations": [1]}, ensure_ascii=ascii_only)
    bounds = [0, *sorted(min(cut, len(raw)) for cut in cuts), len(raw)]
    stream = AnswerStream()
    pieces = [stream.feed(raw[a:b]) for a, b in itertools.pairwise(bounds)]
    assert "".join(pieces) == answer


@given(texts, st.integers(0, 200))
def test_a_cut_off_answer_is_a_beginning_of_the_answer(answer: str, length: int) -> None:
    raw = json.dumps({"answer": answer, "citations": [1]})[:length]
    assert answer.startswith(cut_answer(raw) or "")


@given(st.text())
def test_whatever_a_model_writes_is_decoded_without_an_error(text: str) -> None:
    cut_answer(f'{{"answer": "{text}')


def test_an_answer_that_names_its_kind_is_found() -> None:
    assert cut_answer('{"kind": "answer", "answer": "so far') == "so far"


def test_an_answer_that_is_no_text_yields_nothing() -> None:
    assert cut_answer('{"answer": {"count": 3') is None


def test_half_a_surrogate_pair_becomes_the_replacement_character() -> None:
    assert cut_answer(r'{"answer": "a\ud83dx"}') == "a\ufffdx"


@given(st.text(st.sampled_from("ab \n\t")), st.lists(st.integers(0, 40), max_size=8))
def test_pieces_of_a_plain_answer_add_up_to_what_is_kept_of_it(text: str, cuts: list[int]) -> None:
    bounds = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    stream = PlainStream()
    pieces = [stream.feed(text[a:b]) for a, b in itertools.pairwise(bounds)]
    assert "".join(pieces) == text.strip()


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("One. Two is cut", "One."),
        ('He said "no." Then he', 'He said "no."'),
        ("Mr. Fox paid 3.5 million. Then", "Mr. Fox paid 3.5 million."),
        ("No end at all", "No end at all"),
        ("1. Ann led.\n\n2. Bob", "1. Ann led."),
        ("1. Ann led.\n2.", "1. Ann led."),
        ("It was in 1999. Then", "It was in 1999."),
        ("\u4e00\u3002\u4e8c", "\u4e00\u3002"),
        ("", ""),
    ],
)
def test_what_is_cut_off_ends_with_its_last_whole_sentence(text: str, kept: str) -> None:
    assert whole_sentences(text) == kept
