"""Turns become rows: which tokens stand where, which count, and what is left out."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.errors import BadTurn
from training.rows import Row, TurnTokens, packed, rows_of, select

FIRST = TurnTokens([1, 2, 3], [10, 11], [-0.1, -0.2], [1, 1], policy_index=4)
NEXT = TurnTokens([1, 2, 3, 10, 11, 5], [12], [-0.3], [1], policy_index=5)
ANEW = TurnTokens([1, 9], [13, 14], [-0.4, math.nan], [1, 0], policy_index=5)


def row(num_tokens: int, *, num_trained: int = 1, policy_index: int = 5) -> Row:
    mask = [1] * num_trained + [0] * (num_tokens - num_trained)
    return Row(0, list(range(num_tokens)), [0.0] * num_tokens, mask, policy_index)


def test_a_prompt_that_extends_the_tokens_before_it_goes_on_in_the_same_row() -> None:
    [found] = rows_of(7, [FIRST, NEXT])
    assert found.node == 7
    assert found.token_ids == [1, 2, 3, 10, 11, 5, 12]
    assert found.mask == [0, 0, 0, 1, 1, 0, 1]
    assert found.logprobs == [0, 0, 0, -0.1, -0.2, 0, -0.3]
    assert found.oldest_policy_index == 4


def test_a_prompt_that_starts_anew_starts_a_row_and_the_last_row_is_paid() -> None:
    found = rows_of(0, [FIRST, NEXT, ANEW])
    assert [each.token_ids for each in found] == [[1, 2, 3, 10, 11, 5, 12], [1, 9, 13, 14]]
    assert [each.is_last for each in found] == [False, True]


def test_what_stands_behind_the_mask_is_never_looked_at() -> None:
    [found] = rows_of(0, [ANEW])
    assert found.logprobs == [0, 0, -0.4, 0]
    assert found.num_trained == 1


def test_a_prompt_that_ends_inside_the_tokens_before_it_starts_anew() -> None:
    shorter = replace(NEXT, prompt_ids=[1, 2, 3, 10])
    assert len(rows_of(0, [FIRST, shorter])) == 2


def test_a_node_without_turns_has_no_rows() -> None:
    assert rows_of(0, []) == []


@pytest.mark.parametrize(
    "turn",
    [
        replace(FIRST, logprobs=[-0.1]),
        replace(FIRST, mask=[1]),
        replace(FIRST, logprobs=[-0.1, math.nan]),
        replace(FIRST, logprobs=[-0.1, -math.inf]),
        replace(FIRST, logprobs=[0.1, -0.1]),
        replace(FIRST, prompt_ids=[]),
    ],
    ids=["few logprobs", "short mask", "NaN", "infinite", "positive", "no prompt"],
)
def test_a_turn_that_does_not_fit_together_is_an_error_that_names_it(turn: TurnTokens) -> None:
    with pytest.raises(BadTurn, match="node 3, turn 1"):
        rows_of(3, [FIRST, turn])


def test_rows_that_may_not_train_are_counted_by_reason() -> None:
    rows = [
        row(4),
        row(4, policy_index=3),
        row(4, policy_index=2),
        row(4, num_trained=0, policy_index=0),
        row(9),
    ]
    found = select(rows, policy_index=5, max_staleness=2, max_tokens=8)
    assert found.rows == rows[:2]
    assert (found.num_stale, found.num_empty, found.num_long) == (1, 1, 1)


@given(st.lists(st.integers(1, 50), max_size=30), st.integers(1, 200))
def test_packing_keeps_every_row_and_the_limit(lengths: list[int], limit: int) -> None:
    batches = packed([row(length) for length in lengths], limit)
    assert sorted(len(each.token_ids) for batch in batches for each in batch) == sorted(lengths)
    for batch in batches:
        longest = max(len(each.token_ids) for each in batch)
        assert len(batch) == 1 or len(batch) * longest <= limit


@given(
    st.lists(
        st.tuples(st.lists(st.integers(0, 9), min_size=1, max_size=4), st.booleans()), max_size=6
    )
)
def test_every_sampled_token_stands_in_exactly_one_row(
    steps: list[tuple[list[int], bool]],
) -> None:
    """Prompts that extend what was before or start anew; completions of one token each."""
    turns: list[TurnTokens] = []
    before: list[int] = []
    for number, (new, anew) in enumerate(steps):
        prompt = new if anew else [*before, *new]
        turns.append(TurnTokens(prompt, [100 + number], [-0.5], [1], 0))
        before = [*prompt, 100 + number]
    sampled = [
        token
        for each in rows_of(0, turns)
        for token, counts in zip(each.token_ids, each.mask, strict=True)
        if counts
    ]
    assert sampled == [100 + number for number in range(len(steps))]
