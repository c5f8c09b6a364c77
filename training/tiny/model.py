"""Model: a small causal transformer (pre-norm, learned positions). Axes: B rows, T, V words."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True, slots=True)
class ModelSize:
    """0.1 M parameters with a vocabulary of a few dozen words."""

    width: int = 64
    num_layers: int = 2
    num_heads: int = 4
    max_tokens: int = 64


class TinyModel(nn.Module):
    """Logits of the next token at every position."""

    def __init__(self, num_words: int, size: ModelSize) -> None:
        super().__init__()
        self.size = size
        self.words = nn.Embedding(num_words, size.width)
        self.places = nn.Embedding(size.max_tokens, size.width)
        self.blocks = nn.ModuleList(_Block(size) for _ in range(size.num_layers))
        self.norm = nn.LayerNorm(size.width)
        self.head = nn.Linear(size.width, num_words)
        for weights in (self.words.weight, self.places.weight, self.head.weight):
            nn.init.normal_(weights, std=0.02)

    def forward(self, ids_BT: Tensor) -> Tensor:
        """Float[B, T, V]. Padding stands on the right, where nothing before it sees it."""
        logits_BTV: Tensor = self.head(self.hidden(self.words(ids_BT)))
        return logits_BTV

    def hidden(self, embeds_BTH: Tensor) -> Tensor:
        """Float[B, T, H]: what the head reads, of words or of any vectors in their place."""
        places_T = torch.arange(embeds_BTH.shape[1], device=embeds_BTH.device)
        hidden_BTH = embeds_BTH + self.places(places_T)
        for block in self.blocks:
            hidden_BTH = block(hidden_BTH)
        result: Tensor = self.norm(hidden_BTH)
        return result

    @property
    def num_parameters(self) -> int:
        return sum(parameter.numel() for parameter in self.parameters())


class _Block(nn.Module):
    def __init__(self, size: ModelSize) -> None:
        super().__init__()
        self.num_heads = size.num_heads
        self.norm_in = nn.LayerNorm(size.width)
        self.attention_in = nn.Linear(size.width, 3 * size.width)
        self.attention_out = nn.Linear(size.width, size.width)
        self.norm_out = nn.LayerNorm(size.width)
        self.feed_forward = nn.Sequential(
            nn.Linear(size.width, 4 * size.width),
            nn.GELU(),
            nn.Linear(4 * size.width, size.width),
        )

    def forward(self, hidden_BTH: Tensor) -> Tensor:
        shape = (*hidden_BTH.shape[:2], self.num_heads, -1)
        query, key, value = (
            part.view(shape).transpose(1, 2)
            for part in self.attention_in(self.norm_in(hidden_BTH)).chunk(3, dim=-1)
        )
        mixed = functional.scaled_dot_product_attention(query, key, value, is_causal=True)
        hidden_BTH = hidden_BTH + self.attention_out(mixed.transpose(1, 2).flatten(2))
        result: Tensor = hidden_BTH + self.feed_forward(self.norm_out(hidden_BTH))
        return result


def padded(rows: list[tuple[int, ...]], pad: int) -> Tensor:
    """Int[B, T] of rows of different lengths, filled up on the right."""
    length = max(map(len, rows))
    return torch.tensor([[*row, *[pad] * (length - len(row))] for row in rows])
