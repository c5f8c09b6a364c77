"""How policies and packers of the experiment `state` learn: updates, and looks at the result."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import Tensor

from training.tiny.model import TinyModel
from training.tiny.packer import Packer

LEARNING_RATE = 3e-3
LOOK_EVERY = 25


def learn(
    parameters: Iterable[Tensor],
    loss_of: Callable[[int], Tensor],
    num_updates: int,
    is_enough: Callable[[int], bool] = lambda _: False,
) -> None:
    """At most `num_updates` updates by AdamW, numbered from 1; `loss_of` draws a batch for each.

    `is_enough` is asked every LOOK_EVERY updates and after the last one, and may end it.
    """
    optimizer = torch.optim.AdamW(parameters, lr=LEARNING_RATE)
    for update in range(1, num_updates + 1):
        optimizer.zero_grad()
        torch.autograd.backward(loss_of(update))
        optimizer.step()
        if (update % LOOK_EVERY == 0 or update == num_updates) and is_enough(update):
            return


def distil(
    model: TinyModel,
    packer: Packer,
    loss_of: Callable[[int], Tensor],
    num_updates: int,
    *,
    held_out_BT: Tensor,
    score_of: Callable[[Tensor], float],
) -> list[tuple[int, float]]:
    """Train `packer`; (update, score) of what it makes of the held-out contexts while it learns.

    `score_of` takes Float[B, S, H], the vectors in place of the contexts' words.
    """
    curve = []

    def look(update: int) -> bool:
        with torch.inference_mode():
            state_BSH = packer(model, held_out_BT)
        curve.append((update, score_of(state_BSH)))
        return False

    learn(packer.parameters(), loss_of, num_updates, look)
    return curve
