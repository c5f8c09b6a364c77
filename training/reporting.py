"""Reporting: the figures of a run to files, TensorBoard, Weights & Biases and the terminal.

`figures.jsonl` has one line a step; a run that goes on from a checkpoint first takes back the lines
of steps that it will do again.
"""

from __future__ import annotations

import os
import sys
import time
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec
from torch.utils.tensorboard import SummaryWriter

from banyan.local.errors import Missing
from training.figures import StepFigures
from training.update_data import UpdateData

FIGURES = "figures.jsonl"


class Reporting:
    """The sinks of one run in `folder`; `first_step` is the one that comes next."""

    def __init__(
        self,
        folder: Path,
        *,
        num_steps: int,
        first_step: int = 1,
        wandb_project: str | None = None,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / FIGURES
        kept = figures_of(folder)[: first_step - 1]
        staged = path.with_name(f".{FIGURES}.{os.getpid()}")
        staged.write_bytes(_lines(kept))
        staged.replace(path)
        self._file = path.open("ab", buffering=0)
        self._board: Any = SummaryWriter(str(folder / "tensorboard"), purge_step=first_step)  # type: ignore[no-untyped-call, unused-ignore]
        self._wandb = None if wandb_project is None else _wandb(wandb_project, folder)
        self._progress = _Progress(num_steps, first_step)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.end()
        self._board.close()
        self._file.close()
        if self._wandb is not None:
            self._wandb.finish()

    def data(self, data: UpdateData) -> None:
        """What the rows are like, once a run."""
        self._scalars(
            {
                **{f"data/reward_depth_{d}": r for d, r in data.reward_by_depth.items()},
                "data/delegation_rate": data.delegation_rate,
                "data/tree_size": data.tree_size,
                **{
                    f"data/left_out_{what}_{reason}": count
                    for what, counts in data.left_out.items()
                    for reason, count in counts.items()
                },
            },
            step=0,
        )

    def step(self, figures: StepFigures) -> None:
        """One step's figures."""
        self._file.write(msgspec.json.encode(figures) + b"\n")
        values = {name: value for name, value in asdict(figures).items() if value is not None}
        self._scalars({f"step/{name}": value for name, value in values.items()}, figures.step)
        self._progress.show(figures)

    def _scalars(self, values: dict[str, float], step: int) -> None:
        for name, value in values.items():
            self._board.add_scalar(name, value, step)
        if self._wandb is not None:
            self._wandb.log(values, step=step)


def figures_of(folder: Path) -> list[StepFigures]:
    """The steps that a run has written down."""
    path = folder / FIGURES
    if not path.is_file():
        return []
    whole = path.read_bytes().rpartition(b"\n")[0]  # a kill may have cut the last line off
    return [msgspec.json.decode(line, type=StepFigures) for line in whole.splitlines()]


class _Progress:
    """One line on a terminal that says how far it is and how long it will take."""

    def __init__(self, num_steps: int, first_step: int) -> None:
        self._num_steps = num_steps
        self._first_step = first_step
        self._began = time.monotonic()
        self._is_shown = sys.stderr.isatty()

    def show(self, figures: StepFigures) -> None:
        if not self._is_shown:
            return
        done = figures.step - self._first_step + 1
        left = (self._num_steps - figures.step) * (time.monotonic() - self._began) / done
        sys.stderr.write(
            f"\rstep {figures.step}/{self._num_steps}  loss {figures.loss:+.4f}  "
            f"entropy {figures.entropy:.3f}  gap {figures.logprob_gap:.4f}  "
            f"{figures.tokens_per_s:.0f} tokens/s  {left:.0f} s left \x1b[K"
        )
        sys.stderr.flush()

    def end(self) -> None:
        if self._is_shown:
            sys.stderr.write("\n")


def _lines(figures: list[StepFigures]) -> bytes:
    return b"".join(msgspec.json.encode(each) + b"\n" for each in figures)


def _wandb(project: str, folder: Path) -> Any:
    if find_spec("wandb") is None:
        raise Missing(
            "wandb is not installed",
            hint="Install wandb in the trainer's environment, or leave --wandb out.",
        )
    import wandb  # noqa: PLC0415 - optional

    return wandb.init(project=project, dir=str(folder), resume="allow", id=folder.name)
