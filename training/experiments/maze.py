"""`maze`: a recursive agent against a single one on mazes of 20x20, with doors as waypoints."""

from __future__ import annotations

from dataclasses import replace

from training.environments.maze import Maze
from training.experiments.arm import Agent
from training.experiments.comparison import RECURSIVE, SINGLE, Comparison
from training.experiments.experiment import Experiment
from training.experiments.preset import GENTLE
from training.experiments.versus import Versus
from training.tiny.learner import LearnerSettings

SIDE = 20


def _for_success(_: LearnerSettings) -> LearnerSettings:
    """Of the single agent, one node: a discount would leave nothing of a long way's success."""
    return replace(GENTLE, baseline="view")


def _for_few_actions(learner: LearnerSettings) -> LearnerSettings:
    """Of the recursive agent. Without a discount, to wander about is as good as to divide."""
    return replace(_for_success(learner), discount=0.95)


MAZE = Experiment(
    name="maze",
    title="Maze: 20x20, trained on sides up to 10",
    claim="a recursive agent solves 94 % at 400k environment steps, a single one 62 % at 1M",
    comparison=Comparison(
        environment=Maze(),
        train_difficulties=(3, 5, 10),
        eval_difficulties=(3, 5, 10, SIDE),
        curve_difficulties=(10, SIDE),
        skill_difficulty=2,
        enough_skill=0.99,
        agents=(
            Agent(RECURSIVE, learns_by=_for_few_actions),
            Agent(SINGLE, alone=True, learns_by=_for_success),
        ),
    ),
    find=Versus(
        difficulty=SIDE,
        where=f"{SIDE}x{SIDE}, gate threshold, after RL at sides <= 10 at equal steps",
        claimed=0.94,
        notes=[
            "Both agents get the doors, and the walls within leaves of up to 2x2 cells.",
            "The warm-up teaches single leaves, to 99 %: a way through 20x20 has two dozen.",
            "Where to go in larger mazes is left to RL.",
            "The recursive agent learns by success times 0.95 for each action of a node.",
            "The single one learns by success alone, with which it does better.",
            "One walker is moved by all nodes, so nothing runs at once.",
        ],
    ).find,
)
