"""Checkpoints: everything that an update needs to go on exactly where it was. Needs torch.

    step-000012/state.safetensors   trained weights, the optimizer's moments, generators' states
    step-000012/position.json       which step it is, and of which run

One appears whole, by a rename, and then the older ones go. Tensors are safetensors, never pickle.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_model_state_dict,
    get_optimizer_state_dict,
    set_model_state_dict,
    set_optimizer_state_dict,
)

from training.update_errors import OtherRun

_STATE, _POSITION, _PREFIX = "state.safetensors", "position.json", "step-"


class Position(msgspec.Struct, frozen=True):
    """How far a run is: `step` steps are done.

    `engine_gap` is the mean |trainer - engine| of the first step, in nats; None where all of its
    rows were stale.
    """

    step: int
    first_loss: float
    last_loss: float
    engine_gap: float | None


class _Saved(msgspec.Struct, frozen=True):
    run: str
    position: Position


class Checkpoints:
    """The checkpoints of one run in `folder`, which is made at the first one.

    `run` is a digest of the run's data and settings.
    """

    def __init__(self, folder: Path, run: str) -> None:
        self._folder = folder
        self._run = run

    def save(
        self, position: Position, model: nn.Module, optimizer: Any, *, is_main: bool = True
    ) -> None:
        """Every process takes part; the main one writes."""
        tensors = _tensors(model, optimizer)
        if not is_main:
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        staged = self._folder / f".staging-{os.getpid()}"
        shutil.rmtree(staged, ignore_errors=True)
        staged.mkdir()
        save_file(tensors, staged / _STATE)
        (staged / _POSITION).write_bytes(msgspec.json.encode(_Saved(self._run, position)))
        for path in staged.iterdir():
            with path.open("rb") as file:
                os.fsync(file.fileno())
        target = self._folder / f"{_PREFIX}{position.step:06d}"
        shutil.rmtree(target, ignore_errors=True)
        staged.rename(target)
        for older in self._folder.glob(f"{_PREFIX}*"):
            if older.name < target.name:
                shutil.rmtree(older)

    def latest(self) -> Path | None:
        """The newest checkpoint. What a killed process was writing is none."""
        return max(self._folder.glob(f"{_PREFIX}*"), default=None)

    def load(self, path: Path, model: nn.Module, optimizer: Any) -> Position:
        """Put the state of a checkpoint into model, optimizer and generators. Raises OtherRun."""
        saved = msgspec.json.decode((path / _POSITION).read_bytes(), type=_Saved)
        if saved.run != self._run:
            raise OtherRun(f"{path.parent.parent}: it was begun with other data or settings")
        _restore(load_file(path / _STATE), model, optimizer)
        return saved.position


def _tensors(model: nn.Module, optimizer: Any) -> dict[str, Tensor]:
    whole = StateDictOptions(full_state_dict=True, cpu_offload=True, ignore_frozen_params=True)
    tensors = {f"model/{name}": value for name, value in _weights(model, whole).items()}
    # Offloaded to the CPU, the whole is on the main process alone; the others get nothing.
    states: Any = get_optimizer_state_dict(model, optimizer, options=whole).get("state", {})
    for name, state in states.items():
        for key, value in state.items():
            tensors[f"optimizer/{key}/{name}"] = value
    tensors["random/cpu"] = torch.get_rng_state()
    if torch.cuda.is_available():
        tensors["random/cuda"] = torch.cuda.get_rng_state()
    return {name: value.contiguous().clone() for name, value in tensors.items()}


def _weights(model: nn.Module, options: StateDictOptions) -> Mapping[str, Tensor]:
    """Trained weights; of tied ones, which are one tensor, the first name alone."""
    trained = {name for name, value in model.named_parameters() if value.requires_grad}
    plain = {name.removeprefix("module.") for name in trained}
    found: Mapping[str, Any] = get_model_state_dict(model, options=options)
    return {name: value for name, value in found.items() if name in plain or name in trained}


def _restore(tensors: Mapping[str, Tensor], model: nn.Module, optimizer: Any) -> None:
    options = StateDictOptions(full_state_dict=True, cpu_offload=True, strict=False)
    weights: dict[str, Any] = {
        name.removeprefix("model/"): value
        for name, value in tensors.items()
        if name.startswith("model/")
    }
    set_model_state_dict(model, weights, options=options)
    on_all = StateDictOptions(full_state_dict=True, strict=False)
    current = get_optimizer_state_dict(model, optimizer, options=on_all)
    states: dict[str, Any] = {}
    for name, value in tensors.items():
        if name.startswith("optimizer/"):
            _, key, parameter = name.split("/", 2)
            states.setdefault(parameter, {})[key] = value
    set_optimizer_state_dict(
        model,
        optimizer,
        {"state": states, "param_groups": current["param_groups"]},
        options=options,
    )
    torch.set_rng_state(tensors["random/cpu"])
    if torch.cuda.is_available() and "random/cuda" in tensors:
        torch.cuda.set_rng_state(tensors["random/cuda"])
