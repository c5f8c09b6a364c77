"""Checkpoint: a policy, its optimizer and what else a run needs to go on exactly; one file.

safetensors, never pickle; written beside its place and renamed, so that a killed run leaves the
one before.
"""

from __future__ import annotations

import os
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from training.tiny.errors import BadCheckpoint
from training.tiny.learner import Learner

_FORMAT = "banyan-tiny-1"


def save(path: Path, learner: Learner, state: str) -> None:
    """`state` is kept as it is: counts, curves, and where the source of chance stands."""
    tensors = {f"model.{name}": value for name, value in learner.policy.model.state_dict().items()}
    tensors["tau"] = learner.policy.tau.detach()
    if learner.served is not learner.policy:
        served = learner.served.model.state_dict()
        tensors |= {f"served.{name}": value for name, value in served.items()}
    for number, parameter in enumerate(learner.parameters):
        for name, value in learner.optimizer.state[parameter].items():
            tensors[f"optimizer.{number}.{name}"] = value
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".part")
    save_file(
        {name: value.contiguous() for name, value in tensors.items()},
        beside,
        metadata={"format": _FORMAT, "state": state},
    )
    os.replace(beside, path)  # noqa: PTH105 - atomic


def load(path: Path, learner: Learner) -> str:
    """Put what was saved into `learner`, made with the same settings. Raises BadCheckpoint."""
    try:
        with safe_open(path, framework="pt") as file:
            metadata: dict[str, str] = file.metadata() or {}
            tensors: dict[str, Tensor] = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        if metadata.get("format") != _FORMAT or "state" not in metadata:
            raise BadCheckpoint(f"{path} is no checkpoint of a tiny policy")
        _put(tensors, learner)
    except (SafetensorError, OSError, RuntimeError, KeyError, ValueError) as error:
        raise BadCheckpoint(f"{path} cannot be read: {error}") from error
    return metadata["state"]


def _put(tensors: dict[str, Tensor], learner: Learner) -> None:
    learner.policy.model.load_state_dict(_under("model.", tensors))
    served = _under("served.", tensors)
    if served:
        learner.part_served()
        learner.served.model.load_state_dict(served)
    learner.policy.tau.data.copy_(tensors["tau"])
    for number, parameter in enumerate(learner.parameters):
        learner.optimizer.state[parameter] = {
            name: value.to(parameter.device)
            for name, value in _under(f"optimizer.{number}.", tensors).items()
        }


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Those whose name begins so, by the rest of it."""
    return {
        name.removeprefix(prefix): value
        for name, value in tensors.items()
        if name.startswith(prefix)
    }
