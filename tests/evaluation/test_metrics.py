"""ROUGE and F1 on values that can be worked out by hand."""

from __future__ import annotations

import pytest

from banyan.evaluation.metrics import f1, rouge


def test_rouge_of_the_very_reference_is_one() -> None:
    score = rouge("the ship sailed home", ["the ship sailed home"])
    assert score.value == pytest.approx(1.0)
    assert score.parts == pytest.approx({"r1": 1.0, "r2": 1.0, "rl": 1.0})


def test_rouge_by_hand() -> None:
    """Three of four words are shared, in two pairs of three."""
    score = rouge("the ship sailed home", ["the ship sailed away"])
    assert score.parts == pytest.approx({"r1": 3 / 4, "r2": 2 / 3, "rl": 3 / 4})
    assert score.value == pytest.approx((3 / 4 * 2 / 3 * 3 / 4) ** (1 / 3))


def test_rouge_takes_the_largest_over_the_references_measure_by_measure() -> None:
    """The first reference shares more words, the second one more pairs."""
    answer = "a b c d"
    many_words, many_pairs = "d c b a", "a b c x x x x x"
    both = rouge(answer, [many_words, many_pairs])
    assert both.parts["r1"] == rouge(answer, [many_words]).parts["r1"] == pytest.approx(1.0)
    assert both.parts["r2"] == rouge(answer, [many_pairs]).parts["r2"] > 0
    assert rouge(answer, [many_words]).parts["r2"] == 0


def test_rouge_stems() -> None:
    assert rouge("ships sailing", ["ship sails"]).parts["r1"] == pytest.approx(1.0)


def test_rouge_of_no_answer_is_nothing() -> None:
    assert rouge("", ["a reference"]).value == 0


def test_rouge_needs_a_reference() -> None:
    with pytest.raises(ValueError, match="reference"):
        rouge("a", [])


def test_f1_counts_what_is_there_twice_twice() -> None:
    assert f1(["a", "a"], ["a"]) == pytest.approx(2 / 3)
    assert f1([], []) == 1
    assert f1(["a"], ["b"]) == 0
