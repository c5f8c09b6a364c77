"""Warm start: what a warm-up taught, kept for all agents that begin alike.

Agents of one comparison differ in how they learn from rewards. Where model, view, seed and warm-up
are the same, so is what the warm-up teaches, and it is taught once.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import msgspec
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from training.environments.environment import Environment
from training.experiments.preset import Preset
from training.tiny.errors import BadCheckpoint
from training.tiny.policy import TinyPolicy
from training.tiny.warmup import warm_up

_FORMAT = "banyan-warm-start-1"


def warm_start(
    environment: Environment,
    policy: TinyPolicy,
    preset: Preset,
    folder: Path,
    *,
    seed: int,
    tell: Callable[[int], None],
) -> float:
    """Teach `policy`, which is fresh, or give it what was taught in `folder`; its base skill.

    `folder` is one environment's. `tell` is told of updates. Raises BadCheckpoint.
    """
    path = folder / _file_name(policy, preset, seed)
    if path.exists():
        return _load(path, policy)
    skill = warm_up(environment, policy, preset.warmup, seed, tell)
    _save(path, policy, skill)
    return skill


def _file_name(policy: TinyPolicy, preset: Preset, seed: int) -> str:
    told = [asdict(preset.size), asdict(preset.warmup), policy.num_view_tokens, policy.opens]
    digest = hashlib.sha256(msgspec.json.encode(told, order="sorted")).hexdigest()[:16]
    return f"warm-start-{policy.opens}-{seed}-{digest}.safetensors"


def _save(path: Path, policy: TinyPolicy, skill: float) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".part")
    weights = {name: value.contiguous() for name, value in policy.model.state_dict().items()}
    save_file(weights, beside, metadata={"format": _FORMAT, "skill": repr(skill)})
    os.replace(beside, path)  # noqa: PTH105 - atomic


def _load(path: Path, policy: TinyPolicy) -> float:
    try:
        with safe_open(path, framework="pt") as file:
            metadata: dict[str, str] = file.metadata() or {}
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        if metadata.get("format") != _FORMAT:
            raise BadCheckpoint(f"{path} is no warm start")
        policy.model.load_state_dict(weights)
        return float(metadata["skill"])
    except (SafetensorError, OSError, RuntimeError, KeyError, ValueError) as error:
        raise BadCheckpoint(f"{path} cannot be read: {error}") from error
