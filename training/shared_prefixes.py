"""Shared prefixes: rows that begin alike as one sequence, in which what they share stands once.

The rollouts of a group have one prompt, which is most of their tokens. Each token of the sequence
sees those before it in its own row, at the positions that they have there, so that the model
computes the same numbers as for rows apart. Axes: B rows, T tokens, N tokens of the sequence.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor

MAX_TOKENS = 4_096
"""Of a sequence: each token has a row of the mask."""
_WORTH = 0.7
"""The share of the padded tokens that a sequence may have to be worth its mask."""


class Sequence(NamedTuple):
    """`place_BT` is where a row's tokens stand; of padding it means nothing."""

    token_ids_1N: Tensor
    positions_1N: Tensor
    sees_11NN: Tensor
    """Whether the token of a row (the third axis) sees another one."""
    place_BT: Tensor


def joined(token_ids_BT: Tensor, attention_BT: Tensor) -> Sequence | None:
    """None where the rows share too little, or the sequence would be too long."""
    places: dict[tuple[int, int], int] = {}
    tokens, parents, positions = list[int](), list[int](), list[int]()
    place_BT = torch.zeros(token_ids_BT.shape, dtype=torch.long)
    lengths = attention_BT.sum(dim=1).tolist()
    for row, (token_ids, length) in enumerate(zip(token_ids_BT.tolist(), lengths, strict=True)):
        before = -1
        for position, token in enumerate(token_ids[:length]):
            place = places.setdefault((before, token), len(tokens))
            if place == len(tokens):
                tokens.append(token)
                parents.append(before)
                positions.append(position)
            place_BT[row, position] = before = place
    if len(tokens) > min(MAX_TOKENS, _WORTH * token_ids_BT.numel()):
        return None
    device = token_ids_BT.device
    return Sequence(
        torch.tensor([tokens], device=device),
        torch.tensor([positions], device=device),
        _sees(parents).to(device)[None, None],
        place_BT.to(device),
    )


def can_join(lm: Any) -> bool:
    """Whether the model's attention takes any mask, and sees all of what it shows."""
    config = lm.config
    layers = getattr(config, "layer_types", None) or ["full_attention"]
    is_plain = set(layers) == {"full_attention"} and not getattr(config, "sliding_window", None)
    return is_plain and getattr(config, "_attn_implementation", None) == "sdpa"


def _sees(parents: list[int]) -> Tensor:
    """Bool[N, N]: itself and what its parent sees; parents stand before their children."""
    sees_NN = torch.eye(len(parents), dtype=torch.bool)
    for place, parent in enumerate(parents):
        if parent >= 0:
            sees_NN[place] |= sees_NN[parent]
    return sees_NN
