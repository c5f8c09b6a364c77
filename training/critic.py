"""Critic: a value head on the policy's hidden states, and advantages of each token from it (GAE).

The optional variant `critic`: instead of one advantage a node, every token gets its own. Axes: B
rows, T positions, H hidden; X: tokens and then the choices of a kind. The value at a token is that
of the state before it. Needs torch.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True, slots=True)
class CriticSettings:
    """`value_weight` of the value loss in the whole; `lr` is the value head's own."""

    value_weight: float = 0.5
    gae_lambda: float = 0.95
    lr: float = 1e-3


class ValueHead(nn.Module):
    """A linear map to one number; starts at 0, so that it says nothing before it has learned."""

    def __init__(self, num_hidden: int) -> None:
        super().__init__()
        self.linear = nn.Linear(num_hidden, 1)
        nn.init.zeros_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)

    def forward(self, hidden_BTH: Tensor) -> Tensor:
        """Values, Float[B, T]."""
        values: Tensor = self.linear(hidden_BTH).squeeze(-1)
        return values


def gae(
    values_BT: Tensor,
    rewards_B: Tensor,
    mask_BT: Tensor,
    *,
    is_last_B: Tensor,
    gamma: float = 1.0,
    gae_lambda: float = 0.95,
) -> tuple[Tensor, Tensor]:
    """Advantages and returns (what the value head should say), both Float[B, T], without gradient.

    arXiv 1506.02438: `A_t = sum_l (gamma * gae_lambda)^l delta_{t+l}` with
    `delta_t = r_t + gamma * V_{t+1} - V_t` over the tokens with mask 1; those between (prompts,
    observations) are passed over. `rewards_B` is the node's reward, paid at its last token. Rows
    that are not the last of their node (`is_last_B` False) are paid nothing and end in their own
    last value. Not to be confused: `gae_lambda` is no share of the children's success.
    """
    with torch.no_grad():
        live_BT = mask_BT > 0
        advantages_BT = torch.zeros_like(values_BT)
        next_advantage_B = torch.zeros_like(rewards_B)
        next_value_B = torch.zeros_like(rewards_B)
        is_end_B = torch.ones_like(is_last_B, dtype=torch.bool)
        for t in reversed(range(values_BT.shape[1])):
            live_B, value_B = live_BT[:, t], values_BT[:, t]
            paid_B = torch.where(is_last_B, rewards_B, value_B)  # an early end changes nothing
            outcome_B = torch.where(is_end_B, paid_B, gamma * next_value_B)
            delta_B = outcome_B - value_B
            advantage_B = delta_B + gamma * gae_lambda * next_advantage_B
            advantages_BT[:, t] = torch.where(live_B, advantage_B, 0.0)
            next_advantage_B = torch.where(live_B, advantage_B, next_advantage_B)
            next_value_B = torch.where(live_B, value_B, next_value_B)
            is_end_B = is_end_B & ~live_B
        return advantages_BT, torch.where(live_BT, advantages_BT + values_BT, 0.0)


def token_advantages(
    values_BX: Tensor,
    rewards_BX: Tensor,
    mask_BX: Tensor,
    *,
    num_tokens: int,
    is_last_B: Tensor,
    gae_lambda: float,
) -> tuple[Tensor, Tensor]:
    """Advantages and returns of tokens (the first `num_tokens` columns, by GAE) and of choices.

    A choice is the only step of its row: its advantage is its node's reward over the value there.
    Both Float[B, X], without gradient, and 0 where nothing counts.
    """
    tokens, choices = slice(None, num_tokens), slice(num_tokens, None)
    advantages_BT, returns_BT = gae(
        values_BX[:, tokens],
        rewards_BX[:, 0],
        mask_BX[:, tokens],
        is_last_B=is_last_B,
        gae_lambda=gae_lambda,
    )
    live_BD = mask_BX[:, choices] > 0
    returns_BD = torch.where(live_BD, rewards_BX[:, choices], 0.0)
    surprise_BD = torch.where(live_BD, returns_BD - values_BX[:, choices].detach(), 0.0)
    return torch.cat([advantages_BT, surprise_BD], 1), torch.cat([returns_BT, returns_BD], 1)


def value_loss(values_BT: Tensor, returns_BT: Tensor, mask_BT: Tensor, num_tokens: int) -> Tensor:
    """Half the squared error over the tokens with mask 1, by `num_tokens`, those of the update."""
    error_BT = torch.where(mask_BT > 0, values_BT - returns_BT, 0.0)
    return 0.5 * error_BT.square().sum() / max(1, num_tokens)
