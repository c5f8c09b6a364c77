"""Policy: a model, its vocabulary, its window and its threshold."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from banyan.action import Kind
from training.environments.environment import Environment
from training.tiny.model import ModelSize, TinyModel
from training.tiny.vocabulary import Vocabulary


@dataclass(slots=True)
class TinyPolicy:
    """`opens` is the kind that divides a goal: `delegate`, or `read` for an agent that is alone."""

    model: TinyModel
    vocabulary: Vocabulary
    num_view_tokens: int
    opens: Kind
    tau: nn.Parameter
    """The threshold of the delegation score, nats; a scalar parameter."""

    @property
    def is_alone(self) -> bool:
        return self.opens == "read"


def fresh(environment: Environment, size: ModelSize, seed: int, *, alone: bool) -> TinyPolicy:
    """A policy that has learned nothing; its window is the environment's."""
    torch.manual_seed(seed)
    vocabulary = Vocabulary(environment.words)
    return TinyPolicy(
        model=TinyModel(len(vocabulary), size),
        vocabulary=vocabulary,
        num_view_tokens=environment.num_view_tokens,
        opens="read" if alone else "delegate",
        tau=nn.Parameter(torch.zeros(())),
    )
