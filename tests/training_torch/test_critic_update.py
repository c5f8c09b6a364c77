"""Updates with a critic: advantages of tokens from a value head, which trees alone can train by."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.training.logged import node, turn, write_log
from tests.training_torch.rollouts import (
    BAD,
    CHILD_PROMPT,
    GOOD,
    PROMPT,
    answering,
    settings,
    write_rollouts,
)
from tests.training_torch.tiny_llama import Scorer
from training.critic import CriticSettings, token_advantages
from training.reporting import figures_of
from training.update import VALUE_HEAD, UpdateSettings, run_folder, update
from training.update_errors import NothingToTrain, WrongModel


def with_critic(
    found: UpdateSettings, value_head: Path | None = None, lr: float = 0.05
) -> UpdateSettings:
    return replace(
        found,
        data=replace(found.data, value_baseline=True),
        model=replace(found.model, has_critic=True, value_head=value_head),
        trainer=replace(found.trainer, critic=CriticSettings(lr=lr)),
    )


def value_losses(out: Path) -> list[float]:
    return [figures.value_loss or 0.0 for figures in figures_of(run_folder(out))]


def test_rewarded_completions_become_likelier_and_the_others_less(
    tmp_path: Path, model: Path, scorer: Scorer
) -> None:
    log, out = write_rollouts(tmp_path / "log", scorer), tmp_path / "v1"
    found = settings(model, epochs=8)
    result = update(log, out, with_critic(found))
    after = Scorer.of(out)
    assert sum(after.logprobs(CHILD_PROMPT, GOOD)) > sum(scorer.logprobs(CHILD_PROMPT, GOOD))
    good, bad = (
        sum(after.logprobs(PROMPT, tokens)) - sum(scorer.logprobs(PROMPT, tokens))
        for tokens in (GOOD, BAD)
    )
    assert good > bad + 0.01
    assert result["threshold"] < 0.0, "delegating was what was rewarded"


def test_the_value_head_learns_is_kept_and_is_trained_further(
    tmp_path: Path, model: Path, scorer: Scorer
) -> None:
    log, out = write_rollouts(tmp_path / "log", scorer), tmp_path / "v1"
    found = settings(model, lora_rank=4, epochs=6)
    update(log, out, with_critic(found))
    first = value_losses(out)
    assert first[-1] < first[0]
    kept = run_folder(out) / VALUE_HEAD
    assert load_file(kept).keys() == {"linear.weight", "linear.bias"}
    assert VALUE_HEAD not in {path.name for path in out.iterdir()}, "engines load what is there"
    further = with_critic(found, kept)
    update(log, tmp_path / "v2", further)
    assert value_losses(tmp_path / "v2")[0] < first[0]


def test_a_tree_that_is_alone_trains_by_a_critic_and_not_without(
    tmp_path: Path, model: Path, scorer: Scorer
) -> None:
    log = write_log(tmp_path / "log", [answering(scorer, "a", 1.0)])
    with pytest.raises(NothingToTrain, match="single_group 1"):
        update(log, tmp_path / "v1", settings(model))
    result = update(log, tmp_path / "v1", with_critic(settings(model), lr=1e-4))
    assert result["trees"] == 1
    assert sum(Scorer.of(tmp_path / "v1").logprobs(PROMPT, BAD)) > sum(scorer.logprobs(PROMPT, BAD))


def test_without_a_critic_there_are_no_values(tmp_path: Path, model: Path, scorer: Scorer) -> None:
    pair = [
        [node(tree, turns=[turn(PROMPT, GOOD, scorer.logprobs(PROMPT, GOOD))], success=success)]
        for tree, success in (("a", 1.0), ("b", 0.0))
    ]
    out = tmp_path / "v1"
    update(write_log(tmp_path / "log", pair), out, settings(model))
    assert {figures.value_loss for figures in figures_of(run_folder(out))} == {None}
    assert not (run_folder(out) / VALUE_HEAD).exists()


def test_the_head_of_another_model_is_refused(tmp_path: Path, model: Path, scorer: Scorer) -> None:
    log, wrong = write_rollouts(tmp_path / "log", scorer), tmp_path / "wrong.safetensors"
    save_file({"linear.weight": torch.zeros(1, 3), "linear.bias": torch.zeros(1)}, wrong)
    with pytest.raises(WrongModel, match=r"wrong\.safetensors is no value head"):
        update(log, tmp_path / "v1", with_critic(settings(model), wrong))
    with pytest.raises(WrongModel, match=r"none\.safetensors is no value head"):
        update(log, tmp_path / "v1", with_critic(settings(model), tmp_path / "none.safetensors"))


def test_a_choice_is_paid_its_nodes_reward_over_its_value() -> None:
    values = torch.tensor([[0.5, 0.0, 0.2, 0.9]])
    mask = torch.tensor([[1.0, 0.0, 1.0, 0.0]])
    rewards = torch.tensor([[1.0, 1.0, 0.7, 0.0]])
    advantages, returns = token_advantages(
        values, rewards, mask, num_tokens=2, is_last_B=torch.tensor([True]), gae_lambda=1.0
    )
    assert advantages[0].tolist() == pytest.approx([0.5, 0.0, 0.5, 0.0])
    assert returns[0].tolist() == pytest.approx([1.0, 0.0, 0.7, 0.0])
