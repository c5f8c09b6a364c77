"""Logged turns become rows and choices: what counts, and what is left out for which reason."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.training.logged import drawn, node, turn
from training.credit import Credit
from training.logged_rows import KINDS, LEFT_OUT, logged_rows
from training.training_rows import digest, training_rows

LOGPROBS = {"answer": -1.0, "delegate": -3.0}


def test_tokens_that_were_drawn_without_a_grammar_count() -> None:
    found = logged_rows([node("a", turns=[turn(logprobs=[-0.5, -0.25])])])
    [row] = found.rows
    assert row.token_ids == [10, 11, 12, 20, 21]
    assert row.mask == [0, 0, 0, 1, 1]
    assert row.logprobs == [0, 0, 0, -0.5, -0.25]


@pytest.mark.parametrize("kind", ["raw", "masked"])
def test_tokens_under_a_grammar_are_context_and_are_counted(kind: str) -> None:
    later = turn(prompt=[10, 11, 12, 20, 21, 30], completion=[31])
    found = logged_rows([node("a", turns=[turn(grammar=True, logprobs_kind=kind), later])])
    [row] = found.rows
    assert row.token_ids == [10, 11, 12, 20, 21, 30, 31]
    assert row.mask == [0, 0, 0, 0, 0, 0, 1]
    assert found.left_out[f"grammar_{kind}"] == 1


def test_a_choice_is_renormalised_over_the_allowed_kinds() -> None:
    choice = drawn("delegate", LOGPROBS, [10, 13])
    [found] = logged_rows([node("a", turns=[turn(choice=choice)])]).choices
    assert [KINDS[index] for index in found.kinds] == ["answer", "delegate"]
    assert KINDS[found.taken] == "delegate"
    assert found.prompt_ids == (10, 13)
    assert choice.probability is not None
    assert found.logprob == pytest.approx(math.log(choice.probability))


def test_a_choice_whose_probability_is_beyond_floats_keeps_its_logprob() -> None:
    choice = drawn("delegate", {"answer": 0.0, "delegate": -2000.0})
    [found] = logged_rows([node("a", turns=[turn(choice=choice)])]).choices
    assert found.logprob == -2000.0


def test_what_does_not_count_is_counted_by_a_reason_that_is_explained() -> None:
    choice = drawn("answer", LOGPROBS)
    unknown = drawn("answer", LOGPROBS, [])
    determined = turn(prompt=[], completion=[], choice=choice)
    found = logged_rows([node("a", turns=[turn(), turn(choice=unknown), determined])])
    assert found.left_out == {
        "choice_not_drawn": 1,
        "choice_without_tokens": 1,
        "determined": 1,
    }
    assert found.left_out.keys() <= LEFT_OUT.keys()
    assert len(found.choices) == 1


def credit(*advantages: float) -> Credit:
    values = np.array(advantages)
    return Credit(reward_N=values, advantage_N=values, weight_N=np.full(len(values), 2.0))


def test_choices_behind_one_prompt_share_a_row_and_keep_their_own_advantages() -> None:
    nodes = [
        node("a", turns=[turn(choice=drawn("answer", LOGPROBS))]),
        node("b", turns=[turn(choice=drawn("delegate", LOGPROBS))]),
        node("c", turns=[turn(choice=drawn("delegate", LOGPROBS, [10, 99]))]),
    ]
    found = training_rows(logged_rows(nodes), credit(1.0, -0.5, 0.25))
    *tokens, shared, alone = found
    assert [row.advantage for row in tokens] == [2.0, -1.0, 0.5]
    assert [choice.advantage for choice in shared.choices] == [2.0, -1.0]
    assert [choice.position for choice in shared.choices] == [1, 1]
    assert (shared.num_trained, alone.num_trained) == (2, 1)
    assert shared.row.num_trained == 0


def test_the_digest_of_rows_tells_any_change_of_them() -> None:
    logged = logged_rows([node("a", turns=[turn(choice=drawn("answer", LOGPROBS))])])
    one = digest(training_rows(logged, credit(1.0)))
    assert one == digest(training_rows(logged, credit(1.0)))
    assert one != digest(training_rows(logged, credit(1.0 + 1e-9)))
