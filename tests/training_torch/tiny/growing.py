"""Tiny policies and their trees for tests."""

from __future__ import annotations

import numpy as np

from banyan.task import GateMode
from training.environments.catalogue import environment
from training.environments.environment import Environment
from training.tiny.acting import Actor, Style
from training.tiny.model import ModelSize
from training.tiny.nodes import Tree
from training.tiny.policy import TinyPolicy, fresh
from training.tiny.rollout import TaskId, grow, plant

SIZE = ModelSize(width=16, num_layers=1, num_heads=2)


def policy(name: str = "algebra", *, alone: bool = False, seed: int = 0) -> TinyPolicy:
    return fresh(environment(name), SIZE, seed, alone=alone)


def trees(
    grower: TinyPolicy,
    name: str = "algebra",
    *,
    mode: GateMode = "sampled",
    difficulty: int = 3,
    num_groups: int = 3,
    group_size: int = 2,
    is_greedy: bool = False,
) -> list[Tree]:
    source: Environment = environment(name)
    planted = [
        plant(
            source,
            TaskId(group, difficulty),
            f"{group}.{number}",
            str(group),
            alone=grower.is_alone,
        )
        for group in range(num_groups)
        for number in range(group_size)
    ]
    grow(source, Actor(grower, Style(mode, is_greedy=is_greedy), np.random.default_rng(7)), planted)
    return planted
