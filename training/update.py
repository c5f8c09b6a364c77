"""Update: one update of the policy, from a folder of logged trees to a version that can be served.

OUT/        the version: weights and manifest.json; appears when everything is done
OUT.run/    the run: figures.jsonl, tensorboard/, checkpoints/ (which go when it is done);
            value_head.safetensors of a critic, which no engine is to load
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import msgspec
import torch
from safetensors.torch import save_file
from torch import Tensor

from training.checkpoints import Checkpoints
from training.load_policy import ModelSettings, check_vocabulary, load_policy
from training.reporting import Reporting
from training.trainer import Trainer, TrainerSettings
from training.training_rows import digest
from training.update_data import DataSettings, UpdateData, update_data
from training.update_errors import RunExists, VersionExists
from training.version_dir import manifest_of, probe_of, write_version

VALUE_HEAD = "value_head.safetensors"


@dataclass(frozen=True, slots=True)
class UpdateSettings:
    """`policy` is the name that the version will be one of. `with_kl`: report KL to the base."""

    data: DataSettings
    model: ModelSettings
    trainer: TrainerSettings
    policy: str = "base"
    with_kl: bool = False
    wandb_project: str | None = None


def update(
    log: Path, out: Path, settings: UpdateSettings, *, resume: bool = False
) -> dict[str, Any]:
    """Make the version `out`; what came of it. Raises TrainingErrors; then there is no `out`."""
    folder = run_folder(out)
    if out.exists():
        raise VersionExists(f"{out} is there already")
    if (folder / "checkpoints").is_dir() and not resume:
        raise RunExists(f"{folder}: an update was begun there")
    data = update_data(log, settings.data)
    torch.manual_seed(settings.trainer.seed)
    model = load_policy(settings.model)
    check_vocabulary(model, data.rows)
    checkpoints = Checkpoints(folder / "checkpoints", _run_id(data, settings))
    trainer = Trainer(model, data.rows, settings.trainer, policy_index=data.policy_index)
    if settings.with_kl or settings.trainer.loss.kl_weight:
        trainer.score_base()
    resumed = trainer.resume(checkpoints)
    if trainer.is_main:
        with Reporting(
            folder,
            num_steps=trainer.num_steps,
            first_step=resumed.step + 1 if resumed else 1,
            wandb_project=settings.wandb_project,
        ) as reporting:
            if resumed is None:
                reporting.data(data)
            done = trainer.train(reporting.step, checkpoints, resumed=resumed)
    else:
        done = trainer.train(lambda _: None, checkpoints, resumed=resumed)
    weights, trained = trainer.weights(), trainer.model
    threshold = float(trained.threshold.detach())
    if trainer.is_main:
        probe = probe_of(trained, data.rows, bf16=settings.trainer.bf16)
        manifest = manifest_of(
            data,
            done,
            probe,
            policy=settings.policy,
            parent=settings.data.parent,
            settings=settings.model,
            threshold=threshold,
        )
        write_version(
            out, model=trained, weights=weights, settings=settings.model, manifest=manifest
        )
        _write_value_head(folder / VALUE_HEAD, weights)
        shutil.rmtree(folder / "checkpoints", ignore_errors=True)
    return {
        "out": str(out),
        "run": str(folder),
        "kind": "adapter" if settings.model.lora_rank else "full",
        "steps": done.step,
        "trees": data.num_trees,
        "nodes": data.num_nodes,
        "rows": len(data.rows),
        "tokens": sum(row.row.num_trained for row in data.rows),
        "choices": sum(len(row.choices) for row in data.rows),
        "proxies": data.num_proxies,
        "left_out": data.left_out,
        "reward_by_depth": data.reward_by_depth,
        "delegation_rate": data.delegation_rate,
        "tree_size": data.tree_size,
        "first_loss": done.first_loss,
        "last_loss": done.last_loss,
        "logprob_gap": done.engine_gap,
        "threshold": threshold,
        "resumed_at": resumed.step if resumed else None,
    }


def _write_value_head(path: Path, weights: Mapping[str, Tensor]) -> None:
    """Where there is a critic."""
    prefix = "value_head."
    head = {
        name.removeprefix(prefix): value.to("cpu").contiguous()
        for name, value in weights.items()
        if name.startswith(prefix)
    }
    if head:
        save_file(head, path)


def run_folder(out: Path) -> Path:
    """Where the run that makes `out` keeps its figures and checkpoints."""
    return out.with_name(f"{out.name}.run")


def _run_id(data: UpdateData, settings: UpdateSettings) -> str:
    """The same for a run that may go on: its rows, its model and its settings."""
    fixed = {**asdict(settings), "wandb_project": None}
    text = msgspec.json.encode([digest(data.rows), fixed], enc_hook=str)
    return hashlib.sha256(text).hexdigest()
