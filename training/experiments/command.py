"""Command: what `banyan-train experiment` does once it is in the trainer's environment."""

from __future__ import annotations

from pathlib import Path

import torch
from rich.console import Console

from training.experiments.preset import Preset
from training.experiments.progress import ArmProgress
from training.experiments.registry import chosen
from training.experiments.report import rendered, save, write_part


def measure(name: str, preset: Preset, out: Path, docs: Path | None, *, num_threads: int) -> None:
    """Raises UnknownExperiment, OtherRun and BadCheckpoint."""
    torch.set_num_threads(num_threads)
    console = Console()
    for experiment in chosen(name):
        with ArmProgress() as progress:
            report = experiment.measure(preset, out / "runs", progress)
        paths = save(report, out / "reports" / f"{experiment.name}-{preset.name}")
        if docs is not None:
            paths += write_part(docs, report)
        console.print(rendered(report), soft_wrap=True)
        for path in paths:
            console.print(f"wrote {path}", style="dim")
