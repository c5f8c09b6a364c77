"""Advantages of single tokens, and the head that they come from."""

from __future__ import annotations

import pytest
import torch

from training.critic import ValueHead, gae, value_loss

VALUES = torch.tensor([[0.2, 9.0, 0.5, 0.4]])
MASK = torch.tensor([[1.0, 0.0, 1.0, 1.0]])
LAST = torch.tensor([True])


def test_with_lambda_one_an_advantage_is_the_reward_over_the_value() -> None:
    advantages, returns = gae(VALUES, torch.tensor([1.0]), MASK, is_last_B=LAST, gae_lambda=1.0)
    assert advantages[0].tolist() == pytest.approx([0.8, 0.0, 0.5, 0.6])
    assert returns[0].tolist() == pytest.approx([1.0, 0.0, 1.0, 1.0])


def test_with_lambda_nothing_an_advantage_is_one_step_and_passes_over_what_is_masked() -> None:
    advantages, _ = gae(VALUES, torch.tensor([1.0]), MASK, is_last_B=LAST, gae_lambda=0.0)
    assert advantages[0].tolist() == pytest.approx([0.3, 0.0, -0.1, 0.6])


def test_advantages_add_up_as_the_paper_says() -> None:
    advantages, _ = gae(
        VALUES, torch.tensor([1.0]), MASK, is_last_B=LAST, gamma=0.9, gae_lambda=0.5
    )
    deltas = [0.9 * 0.5 - 0.2, 0.9 * 0.4 - 0.5, 1.0 - 0.4]
    expected = deltas[0] + 0.45 * deltas[1] + 0.45**2 * deltas[2]
    assert advantages[0, 0].item() == pytest.approx(expected)


def test_a_row_that_is_not_the_last_of_its_node_is_paid_nothing() -> None:
    advantages, _ = gae(
        VALUES, torch.tensor([1.0]), MASK, is_last_B=torch.tensor([False]), gae_lambda=1.0
    )
    assert advantages[0].tolist() == pytest.approx([0.2, 0.0, -0.1, 0.0])


def test_padding_behind_the_last_token_changes_nothing() -> None:
    padded = torch.cat([VALUES, torch.tensor([[7.0, 7.0]])], dim=1)
    mask = torch.cat([MASK, torch.zeros(1, 2)], dim=1)
    short, _ = gae(VALUES, torch.tensor([1.0]), MASK, is_last_B=LAST)
    long, _ = gae(padded, torch.tensor([1.0]), mask, is_last_B=LAST)
    assert long[0, :4].tolist() == pytest.approx(short[0].tolist())
    assert long[0, 4:].tolist() == [0.0, 0.0]


def test_the_value_loss_is_over_what_counts() -> None:
    returns = torch.tensor([[0.0, 100.0, 0.5, 1.4]])
    assert value_loss(VALUES, returns, MASK, 3).item() == pytest.approx(0.5 * (0.04 + 1.0) / 3)
    assert value_loss(VALUES, returns, MASK, 6).item() == pytest.approx(0.5 * (0.04 + 1.0) / 6)


def test_a_head_says_nothing_at_first_and_learns() -> None:
    torch.manual_seed(0)
    head = ValueHead(4)
    hidden = torch.randn(2, 3, 4)
    assert head(hidden).tolist() == [[0.0] * 3] * 2
    wanted = hidden @ torch.tensor([1.0, -2.0, 0.5, 0.0])
    optimizer = torch.optim.SGD(head.parameters(), lr=0.1)
    for _ in range(500):
        optimizer.zero_grad()
        value_loss(head(hidden), wanted, torch.ones(2, 3), 6).backward()
        optimizer.step()
    assert value_loss(head(hidden), wanted, torch.ones(2, 3), 6).item() < 1e-3
