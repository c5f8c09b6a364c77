"""Measuring: success of a policy on tasks that training never saw, under each gate mode."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator

import numpy as np

from banyan.task import GateMode
from training.environments.environment import Environment
from training.experiments.results import Cell
from training.tiny.acting import Actor, Style
from training.tiny.policy import TinyPolicy
from training.tiny.rollout import TaskId, grow, plant

MODES: tuple[GateMode, ...] = ("always", "never", "sampled", "threshold")
FIRST_SEED = 3_000_000_000
"""Seeds of evaluation tasks begin here; those of the warm-up and of training lie below."""


def measure(
    environment: Environment,
    policy: TinyPolicy,
    difficulties: Iterable[int],
    num_tasks: int,
    *,
    modes: Iterable[GateMode] = MODES,
    is_trained: bool,
) -> Iterator[Cell]:
    """A cell for each mode and difficulty. Words are the likeliest ones, but under `sampled`."""
    for mode in modes:
        style = Style(mode, is_greedy=mode != "sampled")
        actor = Actor(policy, style, np.random.default_rng(FIRST_SEED))
        for difficulty in difficulties:
            trees = [
                plant(
                    environment,
                    TaskId(FIRST_SEED + number, difficulty),
                    f"{difficulty}.{number}",
                    f"{difficulty}.{number}",
                    alone=policy.is_alone,
                )
                for number in range(num_tasks)
            ]
            began = time.perf_counter()
            grow(environment, actor, trees)
            wall_s = time.perf_counter() - began
            yield Cell(
                is_trained=is_trained,
                mode=mode,
                difficulty=difficulty,
                success=sum(tree.root.success for tree in trees) / num_tasks,
                num_steps=sum(tree.num_steps for tree in trees) / num_tasks,
                num_nodes=sum(len(tree.nodes) for tree in trees) / num_tasks,
                num_waves=sum(tree.num_waves for tree in trees) / num_tasks,
                wall_s=wall_s / num_tasks,
            )
