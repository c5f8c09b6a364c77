"""One update on synthetic trees: what moves and in which direction, and what it leaves behind."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM

from banyan.adapters.policy_folder import check_files, read_manifest
from tests.training.logged import drawn, node, turn, write_log
from tests.training_torch.rollouts import (
    BAD,
    CHILD_PROMPT,
    CHOICE_PROMPT,
    GOOD,
    PROMPT,
    answering,
    delegating,
    settings,
    write_rollouts,
)
from tests.training_torch.tiny_llama import Scorer, write_model
from training.errors import TrainingError, UnreadableFile
from training.log_errors import BadLogprob
from training.loss import LossKind, LossSettings
from training.reporting import figures_of
from training.update import UpdateSettings, run_folder, update
from training.update_errors import (
    NewerRows,
    NoModel,
    NothingToTrain,
    RunExists,
    VersionExists,
    WrongModel,
)


def trained(version: Path, base: Path) -> Scorer:
    """The version as an engine would load it."""
    if (version / "config.json").is_file():
        return Scorer.of(version)
    lm = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    return Scorer(PeftModel.from_pretrained(lm, version))


def delegation_score(scorer: Scorer) -> float:
    letters = scorer.letters(CHOICE_PROMPT, ["answer", "delegate"])
    return letters["delegate"] - letters["answer"]


@pytest.mark.parametrize("kind", ["cispo", "ppo", "a2c"])
@pytest.mark.parametrize("lora_rank", [0, 4], ids=["full", "lora"])
def test_rewarded_completions_become_likelier_and_the_others_less(
    tmp_path: Path, model: Path, scorer: Scorer, kind: LossKind, lora_rank: int
) -> None:
    log, out = write_rollouts(tmp_path / "log", scorer), tmp_path / "v1"
    found = settings(model, lora_rank=lora_rank, loss=LossSettings(kind=kind))
    update(log, out, found)
    after = trained(out, model)
    assert sum(after.logprobs(PROMPT, GOOD)) > sum(scorer.logprobs(PROMPT, GOOD)) + 0.01
    assert sum(after.logprobs(CHILD_PROMPT, GOOD)) > sum(scorer.logprobs(CHILD_PROMPT, GOOD))
    assert sum(after.logprobs(PROMPT, BAD)) < sum(scorer.logprobs(PROMPT, BAD)) - 0.01


@pytest.mark.parametrize(("success", "sign"), [(1.0, 1), (0.0, -1)], ids=["good", "bad"])
def test_the_gate_learns_whether_delegating_was_good(
    tmp_path: Path, model: Path, scorer: Scorer, success: float, sign: int
) -> None:
    """The letters' score goes towards what was rewarded, and tau the other way."""
    log = write_rollouts(tmp_path / "log", scorer, delegating_success=success)
    result = update(log, tmp_path / "v1", settings(model))
    moved = delegation_score(trained(tmp_path / "v1", model)) - delegation_score(scorer)
    assert sign * moved > 0.01
    assert sign * result["threshold"] < -0.01


def test_a_choice_that_was_not_drawn_moves_no_threshold(
    tmp_path: Path, model: Path, scorer: Scorer
) -> None:
    trees = [
        [node("a", turns=[turn(PROMPT, GOOD, scorer.logprobs(PROMPT, GOOD))], success=1.0)],
        [node("b", turns=[turn(PROMPT, BAD, scorer.logprobs(PROMPT, BAD))], success=0.0)],
    ]
    result = update(write_log(tmp_path / "log", trees), tmp_path / "v1", settings(model))
    assert result["threshold"] == 0.0
    assert result["left_out"]["turns"] == {"choice_not_drawn": 2}


def test_trees_that_did_equally_well_change_nothing(
    tmp_path: Path, model: Path, scorer: Scorer
) -> None:
    trees = [delegating(scorer, "a", 1.0), answering(scorer, "b", 1.0)]
    log = write_log(tmp_path / "log", trees)
    update(log, tmp_path / "v1", settings(model))
    after = trained(tmp_path / "v1", model)
    assert after.logprobs(PROMPT, GOOD) == scorer.logprobs(PROMPT, GOOD)


@pytest.mark.parametrize("lora_rank", [0, 4], ids=["full", "lora"])
def test_a_version_says_what_it_is_and_its_probe_is_what_it_computes(
    tmp_path: Path, model: Path, scorer: Scorer, lora_rank: int
) -> None:
    log, out = write_rollouts(tmp_path / "log", scorer), tmp_path / "v1"
    result = update(log, out, settings(model, lora_rank=lora_rank))
    manifest: dict[str, Any] = json.loads((out / "manifest.json").read_text())
    assert manifest["kind"] == ("adapter" if lora_rank else "full")
    assert manifest["data"] == {
        "first_tree": "a0",
        "last_tree": "d1",
        "num_trees": 4,
        "num_rows": result["rows"],
    }
    assert manifest["threshold"] == result["threshold"]
    assert manifest["logprob_gap"] == pytest.approx(0.0, abs=1e-5)
    assert manifest["files"].keys() == {path.name for path in out.iterdir()} - {"manifest.json"}
    check_files(out, read_manifest(out))  # as publishing does
    if lora_rank:
        config = json.loads((out / "adapter_config.json").read_text())
        assert config["base_model_name_or_path"] == manifest["base"]["name"]
    probe = manifest["probe"]
    computed = trained(out, model).logprobs(probe["prompt_token_ids"], probe["token_ids"])
    assert computed == pytest.approx(probe["logprobs"], abs=1e-5)


def test_an_adapter_is_trained_further(tmp_path: Path, model: Path, scorer: Scorer) -> None:
    log = write_rollouts(tmp_path / "log", scorer)
    update(log, tmp_path / "v1", settings(model, lora_rank=4))
    found = settings(model, lora_rank=4)
    found = replace(
        found,
        model=replace(found.model, adapter=tmp_path / "v1"),
        data=replace(found.data, parent="policy-v1"),
    )
    result = update(log, tmp_path / "v2", found)
    assert result["logprob_gap"] is None  # the log is of the version before
    once, twice = (trained(tmp_path / version, model) for version in ("v1", "v2"))
    assert sum(twice.logprobs(PROMPT, GOOD)) > sum(once.logprobs(PROMPT, GOOD))


def test_full_weights_are_trained_further(tmp_path: Path, model: Path, scorer: Scorer) -> None:
    log = write_rollouts(tmp_path / "log", scorer)
    update(log, tmp_path / "v1", settings(model))
    found = settings(model)
    found = replace(
        found,
        model=replace(found.model, weights=tmp_path / "v1"),
        data=replace(found.data, parent="policy-v1"),
    )
    update(log, tmp_path / "v2", found)
    once, twice = (trained(tmp_path / version, model) for version in ("v1", "v2"))
    assert sum(twice.logprobs(PROMPT, GOOD)) > sum(once.logprobs(PROMPT, GOOD))
    bases = [read_manifest(tmp_path / version).base for version in ("v1", "v2")]
    assert bases[0] == bases[1]


def test_full_weights_of_another_base_are_refused(
    tmp_path: Path, model: Path, scorer: Scorer
) -> None:
    log = write_rollouts(tmp_path / "log", scorer)
    update(log, tmp_path / "v1", settings(model))
    found = settings(write_model(tmp_path / "other", seed=1))
    found = replace(found, model=replace(found.model, weights=tmp_path / "v1"))
    assert "another model" in failing(log, tmp_path / "v2", found, WrongModel)
    found = replace(found, model=replace(found.model, weights=model))
    failing(log, tmp_path / "v2", found, NoModel)


def test_groups_that_were_not_asked_for_do_not_train(
    tmp_path: Path, model: Path, scorer: Scorer
) -> None:
    log = write_rollouts(tmp_path / "log", scorer)
    found = settings(model)
    found = replace(found, data=replace(found.data, group_prefix="another/"))
    assert "other_group 4" in failing(log, tmp_path / "v1", found, NothingToTrain)


def test_every_step_is_written_down(tmp_path: Path, model: Path, scorer: Scorer) -> None:
    log, out = write_rollouts(tmp_path / "log", scorer), tmp_path / "v1"
    found = replace(settings(model, step_rows=2), with_kl=True)
    result = update(log, out, found)
    steps = figures_of(run_folder(out))
    assert [each.step for each in steps] == list(range(1, result["steps"] + 1))
    assert steps[0].kl == pytest.approx(0.0, abs=1e-6)
    assert (steps[-1].kl or 0.0) > 0.0
    assert steps[0].entropy > 0.0
    assert steps[0].logprob_gap == pytest.approx(0.0, abs=1e-5)
    assert result["reward_by_depth"] == {0: 0.5, 1: 1.0}
    assert result["delegation_rate"] == pytest.approx(2 / 6)
    assert result["tree_size"] == pytest.approx(1.5)
    assert list((run_folder(out) / "tensorboard").iterdir())
    assert not (run_folder(out) / "checkpoints").exists()


@pytest.mark.parametrize("change", ["micro-batches", "gradient checkpointing"])
def test_what_saves_memory_changes_no_loss(
    tmp_path: Path, model: Path, scorer: Scorer, change: str
) -> None:
    log = write_rollouts(tmp_path / "log", scorer)
    plain = settings(model)
    saving = (
        settings(model, micro_tokens=1)
        if change == "micro-batches"
        else replace(plain, model=replace(plain.model, gradient_checkpointing=True))
    )
    for name, found in (("plain", plain), ("saving", saving)):
        update(log, tmp_path / name, found)
    one, other = (figures_of(run_folder(tmp_path / name)) for name in ("plain", "saving"))
    assert [each.loss for each in other] == pytest.approx([each.loss for each in one], abs=1e-4)
    assert len({each.loss for each in one}) == len(one)


def test_bf16_computes_nearly_the_same(tmp_path: Path, model: Path, scorer: Scorer) -> None:
    log = write_rollouts(tmp_path / "log", scorer)
    found = settings(model, bf16=True, lora_rank=4)
    found = replace(found, model=replace(found.model, dtype="bf16"))
    result = update(log, tmp_path / "v1", found)
    assert 0.0 < result["logprob_gap"] < 0.1


def failing(log: Path, out: Path, found: UpdateSettings, expected: type[TrainingError]) -> str:
    """The message of an update that failed and left no version behind."""
    before = set(out.parent.iterdir())
    with pytest.raises(expected) as caught:
        update(log, out, found)
    assert set(out.parent.iterdir()) - before <= {run_folder(out)}
    return str(caught.value)


def test_a_log_of_another_model_is_refused(tmp_path: Path, scorer: Scorer) -> None:
    other = write_model(tmp_path / "other", seed=1)
    log = write_rollouts(tmp_path / "log", scorer)
    failing(log, tmp_path / "v1", settings(other), WrongModel)
    small = write_model(tmp_path / "small", num_words=30)
    assert "token 41" in failing(log, tmp_path / "v1", settings(small), WrongModel)


def test_an_adapter_of_another_base_is_refused(tmp_path: Path, model: Path, scorer: Scorer) -> None:
    log = write_rollouts(tmp_path / "log", scorer)
    update(log, tmp_path / "v1", settings(model, lora_rank=4))
    found = settings(model, lora_rank=4)
    found = replace(found, model=replace(found.model, adapter=tmp_path / "v1", base_name="another"))
    assert "'tiny'" in failing(log, tmp_path / "v2", found, WrongModel)


def test_a_truncated_log_is_refused_by_name(tmp_path: Path, model: Path, scorer: Scorer) -> None:
    log = write_rollouts(tmp_path / "log", scorer)
    file = next(log.rglob("*.zst"))
    file.write_bytes(file.read_bytes()[:-20])
    assert file.name in failing(log, tmp_path / "v1", settings(model), UnreadableFile)
    skipping = settings(model)
    skipping = replace(skipping, data=replace(skipping.data, skip_damaged=True))
    assert update(log, tmp_path / "v1", skipping)["left_out"]["trees"]["damaged"] == 1


def test_a_log_probability_that_is_none_is_refused(tmp_path: Path, model: Path) -> None:
    trees = [
        [node("a", turns=[turn(PROMPT, GOOD, [-1.0, 0.5, -1.0])], success=1.0)],
        [node("b", turns=[turn(PROMPT, GOOD)], success=0.0)],
    ]
    log = write_log(tmp_path / "log", trees)
    assert "a.g1.jsonl.zst:1" in failing(log, tmp_path / "v1", settings(model), BadLogprob)


def test_trees_without_a_group_to_compare_with_are_refused(
    tmp_path: Path, model: Path, scorer: Scorer
) -> None:
    log = write_log(tmp_path / "log", [delegating(scorer, "a", 1.0)])
    assert "single_group 1" in failing(log, tmp_path / "v1", settings(model), NothingToTrain)


def test_rows_that_are_too_old_are_left_out_and_newer_ones_refused(
    tmp_path: Path, model: Path, scorer: Scorer
) -> None:
    letters = scorer.letters(CHOICE_PROMPT, ["answer", "delegate"])
    trees = [
        [
            node(
                tree,
                turns=[
                    turn(
                        PROMPT,
                        GOOD,
                        scorer.logprobs(PROMPT, GOOD),
                        drawn("answer", letters, CHOICE_PROMPT),
                        policy_version=version,
                    )
                ],
                success=success,
            )
        ]
        for tree, version, success in (("a", "base", 1.0), ("b", "policy-v3", 0.0))
    ]
    log = write_log(tmp_path / "log", trees)
    assert "base" in failing(log, tmp_path / "v1", settings(model), NewerRows)
    found = settings(model)
    found = replace(found, data=replace(found.data, parent="policy-v3"))
    assert update(log, tmp_path / "v1", found)["left_out"]["rows"]["stale"] == 2


def test_a_version_is_never_written_over(tmp_path: Path, model: Path, scorer: Scorer) -> None:
    log = write_rollouts(tmp_path / "log", scorer)
    update(log, tmp_path / "v1", settings(model))
    failing(log, tmp_path / "v1", settings(model), VersionExists)
    (tmp_path / "v2.run" / "checkpoints").mkdir(parents=True)
    failing(log, tmp_path / "v2", settings(model), RunExists)


def test_a_folder_without_a_model_is_refused(tmp_path: Path, scorer: Scorer) -> None:
    log = write_rollouts(tmp_path / "log", scorer)
    failing(log, tmp_path / "v1", settings(tmp_path / "none"), NoModel)
