"""Command: what `banyan-train experiment` does once it is in the trainer's environment."""

from __future__ import annotations

import time
from pathlib import Path

import torch
from rich.console import Console

from training.experiments.arm import Phase
from training.experiments.comparison import TellArm
from training.experiments.errors import NoDevice, TimeUp
from training.experiments.preset import Preset
from training.experiments.progress import ArmProgress
from training.experiments.registry import chosen
from training.experiments.report import rendered, save, write_part


def measure(
    name: str,
    preset: Preset,
    out: Path,
    docs: Path | None,
    *,
    num_threads: int,
    device: str = "cpu",
    minutes: float | None = None,
) -> None:
    """Raises UnknownExperiment, OtherRun, BadCheckpoint, NoDevice, and TimeUp after `minutes`."""
    torch.set_num_threads(num_threads)
    torch.set_default_device(device_of(device))
    give_up_at = None if minutes is None else time.monotonic() + 60 * minutes
    console = Console()
    for experiment in chosen(name):
        with ArmProgress() as progress:
            tell = progress if give_up_at is None else until(give_up_at, progress)
            report = experiment.measure(preset, out / "runs", tell)
        paths = save(report, out / "reports" / f"{experiment.name}-{preset.name}")
        if docs is not None:
            paths += write_part(docs, report)
        console.print(rendered(report), soft_wrap=True)
        for path in paths:
            console.print(f"wrote {path}", style="dim")


def device_of(name: str) -> torch.device:
    """Where models are. Raises NoDevice."""
    try:
        device = torch.device(name)
        torch.zeros((), device=device)
    except (RuntimeError, AssertionError) as error:
        raise NoDevice(f"torch has no device {name!r}: {str(error).splitlines()[0]}") from error
    return device


def until(give_up_at: float, tell: TellArm) -> TellArm:
    """What raises TimeUp once `time.monotonic()` is there; runs are kept, and go on from there."""

    def told(arm: str, seed: int, phase: Phase, done: int, total: int) -> None:
        tell(arm, seed, phase, done, total)
        if time.monotonic() >= give_up_at:
            raise TimeUp(f"the time is up in the {phase} of {arm}, seed {seed}")

    return told
