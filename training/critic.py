"""Critic: a value head on the policy's hidden states, and advantages of each token from it (GAE).

The optional variant `critic`: instead of one advantage a node, every token gets its own. Axes: B
rows, T positions, H hidden. The value at a token is that of the state before it. Needs torch.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


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


def value_loss(values_BT: Tensor, returns_BT: Tensor, mask_BT: Tensor) -> Tensor:
    """Half the mean squared error over the tokens with mask 1; a scalar."""
    live_BT = mask_BT > 0
    error_BT = torch.where(live_BT, values_BT - returns_BT, 0.0)
    return 0.5 * error_BT.square().sum() / live_BT.sum().clamp(min=1)
