"""Synthetic rollouts of a tiny model: logs as its engine would have left them, and settings."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from banyan.trajectory import LoggedNode
from tests.training.logged import drawn, node, turn, write_log
from tests.training_torch.tiny_llama import Scorer
from training.load_policy import ModelSettings
from training.trainer import TrainerSettings
from training.update import UpdateSettings
from training.update_data import DataSettings

CHOICE_PROMPT = (10, 11, 12)
PROMPT = (10, 11, 13)
CHILD_PROMPT = (30, 31)
GOOD, BAD = (20, 21, 22), (40, 41)


def delegating(scorer: Scorer, tree: str, success: float) -> list[LoggedNode]:
    """A root that chose to delegate and wrote GOOD, with a child that was forced to answer."""
    letters = scorer.letters(CHOICE_PROMPT, ["answer", "delegate"])
    wrote = turn(
        PROMPT,
        GOOD,
        scorer.logprobs(PROMPT, GOOD),
        drawn("delegate", letters, CHOICE_PROMPT),
    )
    child = turn(CHILD_PROMPT, GOOD, scorer.logprobs(CHILD_PROMPT, GOOD))
    return [
        node(tree, turns=[wrote], success=success, num_nodes=2),
        node(tree, "0.0", turns=[child], success=success, num_nodes=2),
    ]


def answering(scorer: Scorer, tree: str, success: float) -> list[LoggedNode]:
    """A root that chose to answer and wrote BAD."""
    letters = scorer.letters(CHOICE_PROMPT, ["answer", "delegate"])
    wrote = turn(
        PROMPT,
        BAD,
        scorer.logprobs(PROMPT, BAD),
        drawn("answer", letters, CHOICE_PROMPT),
    )
    return [node(tree, turns=[wrote], success=success)]


def write_rollouts(
    root: Path, scorer: Scorer, *, delegating_success: float = 1.0, num_pairs: int = 2
) -> Path:
    """Pairs of trees of one group: one delegated, the other answered, and one of them was right."""
    trees = [
        tree
        for index in range(num_pairs)
        for tree in (
            delegating(scorer, f"d{index}", delegating_success),
            answering(scorer, f"a{index}", 1.0 - delegating_success),
        )
    ]
    return write_log(root, trees)


def settings(model: Path, *, lora_rank: int = 0, **trainer: object) -> UpdateSettings:
    """Few steps that move a tiny model far enough to be seen."""
    base = TrainerSettings(lr=3e-3, threshold_lr=0.05, epochs=3, step_rows=64)
    return UpdateSettings(
        data=DataSettings(),
        model=ModelSettings(path=model, base_name="tiny", lora_rank=lora_rank),
        trainer=replace(base, **trainer),  # type: ignore[arg-type]
    )
