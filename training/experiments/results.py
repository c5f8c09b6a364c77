"""Results: what one arm of an experiment measured with one seed, as it is kept in JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol, TypeVar

import msgspec

from banyan.task import GateMode
from training.experiments.errors import OtherRun

RESULT = "result.json"


class Cell(msgspec.Struct, frozen=True):
    """Means over the tasks of one difficulty, under one gate mode."""

    is_trained: bool
    mode: GateMode
    difficulty: int
    success: float
    num_steps: float
    """Actions over all nodes."""
    num_nodes: float
    num_waves: float
    """Actions one after another, if all that could run at once did."""
    wall_s: float
    """Where all tasks ran in one batch, on the machine that measured."""


class Point(msgspec.Struct, frozen=True):
    """Of a learning curve: success under the threshold gate after `num_steps` of training."""

    num_steps: int
    difficulty: int
    success: float


class DepthGradient(msgspec.Struct, frozen=True):
    """What the nodes of one depth give to the gradient of a batch."""

    depth: int
    num_nodes: int
    variance: float
    """Of a node's gradient `A * grad log pi`: the mean squared distance from the depth's mean."""
    weight: float
    """What the depth's nodes are multiplied by; 1 without depth weights."""


class GradientSpread(msgspec.Struct, frozen=True):
    """How the policy gradient of one fixed batch of trees varies (see `gradients.py`)."""

    is_trained: bool
    noise: float | None
    """Variance of the batch's gradient over its squared length; None where that is 0."""
    depths: list[DepthGradient]


class Result(Protocol):
    """What is kept of a run. `fingerprint`: of the preset it was measured by."""

    @property
    def fingerprint(self) -> str: ...


T = TypeVar("T", bound=Result)


class ArmResult(msgspec.Struct, frozen=True):
    arm: str
    seed: int
    fingerprint: str
    num_parameters: int
    base_skill: float
    """Share of the smallest goals that were solved after the warm-up."""
    num_steps: int
    """Environment steps of training; the last batch of trees ends above what was asked for."""
    cells: list[Cell]
    curve: list[Point]
    gradients: list[GradientSpread]
    """After the warm-up, and after training."""
    train_s: float
    """Wall seconds of rollouts and updates, without warm-up and evaluation."""


def write(path: Path, value: object) -> None:
    """Whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".part")
    beside.write_bytes(msgspec.json.format(msgspec.json.encode(value)) + b"\n")
    beside.replace(path)


def read(path: Path, kind: type[T], fingerprint: str) -> T | None:
    """None where it has not been measured.

    Raises OtherRun for what is no such result, or one with other settings.
    """
    if not path.exists():
        return None
    try:
        result = msgspec.json.decode(path.read_bytes(), type=kind)
    except msgspec.DecodeError as error:
        raise OtherRun(f"{path} is no result of this: {error}") from error
    if result.fingerprint != fingerprint:
        raise OtherRun(f"{path.parent} holds a run with other settings")
    return result
