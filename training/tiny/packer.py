"""Packer: what a parent knows, as a few vectors that stand in a child's prompt.

The parent's tokens, with some learned vectors behind them, go through the policy, which stays as it
is; what the policy has at those places is mapped to vectors for the child. Trained by distillation:
the child that sees the vectors should say what a child that sees the parent's tokens says.
Axes: B rows, T tokens of the parent, Q words of the question, P vectors, H width.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from training.tiny.model import TinyModel


class Packer(nn.Module):
    """For one model, whose weights it does not change. `num_vectors` is P."""

    def __init__(self, model: TinyModel, num_vectors: int) -> None:
        super().__init__()
        self.slots_PH = nn.Parameter(0.02 * torch.randn(num_vectors, model.size.width))
        self.out = nn.Linear(model.size.width, model.size.width)

    def forward(self, model: TinyModel, context_BT: Tensor) -> Tensor:
        """Float[B, P, H]: the packed state of each parent."""
        num_vectors = self.slots_PH.shape[0]
        slots_BPH = self.slots_PH.expand(context_BT.shape[0], -1, -1)
        hidden = model.hidden(torch.cat([model.words(context_BT), slots_BPH], dim=1))
        packed: Tensor = self.out(hidden[:, -num_vectors:])
        return packed


def answer_logits(model: TinyModel, state_BSH: Tensor, question_BQ: Tensor) -> Tensor:
    """Float[B, V]: the next word after a state (embeddings, of words or packed) and a question."""
    embeds = torch.cat([state_BSH, model.words(question_BQ)], dim=1)
    logits: Tensor = model.head(model.hidden(embeds)[:, -1])
    return logits


def distillation_loss(
    model: TinyModel,
    packer: Packer,
    context_BT: Tensor,
    logits_of: Callable[[Tensor], Tensor],
) -> Tensor:
    """KL from the child that sees the parent's tokens to the one that sees its vectors.

    In nats a word; `logits_of` takes a state, Float[B, S, H], and gives Float[..., V].
    """
    with torch.no_grad():
        teacher = logits_of(model.words(context_BT)).log_softmax(dim=-1).flatten(0, -2)
    student = logits_of(packer(model, context_BT)).log_softmax(dim=-1).flatten(0, -2)
    return functional.kl_div(student, teacher, reduction="batchmean", log_target=True)
