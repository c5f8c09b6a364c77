"""Rows as tensors: what stands at each position is what the logits there predict."""

from __future__ import annotations

import pytest
import torch

from training.loss import LossSettings, TokenBatch, policy_loss
from training.rows import TurnTokens, rows_of
from training.scoring import score_tokens
from training.tensors import tensors_of

LONG = TurnTokens([1, 2], [3, 4], [-0.1, -0.2], [1, 1], policy_index=1)
SHORT = TurnTokens([5], [6], [-0.3], [1], policy_index=3)


def test_rows_are_padded_and_shifted_by_one() -> None:
    found = tensors_of([*rows_of(0, [LONG]), *rows_of(1, [SHORT])], policy_index=4)
    assert found.token_ids_BT.tolist() == [[1, 2, 3, 4], [5, 6, 0, 0]]
    assert found.attention_BT.tolist() == [[1, 1, 1, 1], [1, 1, 0, 0]]
    assert found.targets_BT.tolist() == [[2, 3, 4], [6, 0, 0]]
    assert found.mask_BT.tolist() == [[0, 1, 1], [1, 0, 0]]
    expected = torch.tensor([[0, -0.1, -0.2], [-0.3, 0, 0]])
    torch.testing.assert_close(found.behaviour_logprobs_BT, expected)
    assert found.staleness_B.tolist() == [3, 1]


def test_a_batch_without_rows_is_an_error() -> None:
    with pytest.raises(ValueError, match="at least one row"):
        tensors_of([], 0)


def test_rows_go_through_scoring_into_the_loss() -> None:
    """A uniform model over 8 tokens: every log-probability is -log 8."""
    rows = tensors_of([*rows_of(0, [LONG]), *rows_of(1, [SHORT])], policy_index=4)
    logits = torch.zeros(2, 3, 8, requires_grad=True)
    logprobs, entropies = score_tokens(logits, rows.targets_BT)
    batch = TokenBatch(
        logprobs_BT=logprobs,
        behaviour_logprobs_BT=rows.behaviour_logprobs_BT,
        mask_BT=rows.mask_BT,
        advantages=torch.tensor([1.0, 1.0]),
        weights_B=torch.ones(2),
        staleness_B=rows.staleness_B,
        entropies_BT=entropies,
    )
    _, figures = policy_loss(batch, LossSettings(max_staleness=2))
    assert (figures.num_tokens, figures.num_stale_rows) == (1, 1)
    gap = torch.tensor(8.0).log().item() - 0.3
    assert figures.logprob_gap == pytest.approx(gap)
