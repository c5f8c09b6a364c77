"""`state`: what a parent hands to its child: nothing, a few words, a few vectors, or its tokens."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from banyan.evaluation.stats import estimate
from training.experiments.comparison import TellArm
from training.experiments.curves import Curve, Step
from training.experiments.experiment import command_of, percent, seed_notes
from training.experiments.preset import Preset
from training.experiments.report import Grid, Report
from training.experiments.state_task import (
    NUM_CONTEXT_TOKENS,
    NUM_KEYS,
    Batch,
    distilled,
    draw,
    success,
    taught,
)
from training.tiny.model import TinyModel
from training.tiny.packer import Packer, answer_logits

NUM_PACKED = (2, 4, 8)
"""Words of a summary, and vectors of a hidden state."""
_NUM_TIMINGS = 5
_TOKEN_BYTES, _FLOAT_BYTES = 4, 4
_Make = Callable[[Tensor], Tensor]


@dataclass(frozen=True, slots=True)
class Measured:
    """Of one form and seed. Times are of one parent and one child, alone."""

    success: float
    pack_ms: float
    unpack_ms: float


@dataclass(frozen=True, slots=True)
class Form:
    """`num_places`: positions of the child's prompt that the state takes."""

    name: str
    num_bytes: int
    num_places: int
    recomputed: str


class State:
    name = "state"
    title = "State: what a parent hands to its child"
    claim = "summary, prefix or hidden: child success, pack and unpack ms, bytes, tokens recomputed"

    def measure(self, preset: Preset, folder: Path, tell: TellArm) -> Report:
        """A policy and its packers for each seed; nothing is kept in `folder`."""
        del folder
        found: dict[str, list[Measured]] = {}
        forms: dict[str, Form] = {}
        learning: dict[int, list[list[tuple[int, float]]]] = {num: [] for num in NUM_PACKED}
        for seed in range(preset.num_seeds):
            model = taught(preset.size, seed, preset.warmup.max_updates)
            tell(self.name, seed, "warm-up", 1, 1)
            packers = {}
            for num in NUM_PACKED:
                packers[num], curve = distilled(model, num, seed, preset.warmup.max_updates)
                learning[num].append(curve)
                tell(self.name, seed, "training", len(packers), len(NUM_PACKED))
            batch = draw(torch.Generator().manual_seed(1_000 + seed), 1_000)
            for form, make in _forms(model, packers):
                forms[form.name] = form
                found.setdefault(form.name, []).append(_measured(model, make, batch))
        return Report(
            name=self.name,
            title=self.title,
            claim=self.claim,
            command=command_of(self.name, preset),
            verdict=_verdict(found),
            notes=[*_NOTES, *seed_notes(preset)],
            grids=[_grid(forms, found)],
            curves=[_curve(num, rows) for num, rows in learning.items()],
        )


def _forms(model: TinyModel, packers: dict[int, Packer]) -> list[tuple[Form, _Make]]:
    def words(num: int) -> _Make:
        return lambda context_BT: model.words(context_BT[:, :num])

    def vectors(packer: Packer) -> _Make:
        return lambda context_BT: packer(model, context_BT)

    forms = [(Form("none", 0, 0, "0"), words(0))]
    for num in NUM_PACKED:
        form = Form(f"summary, {num} words", num * _TOKEN_BYTES, num, str(num))
        forms.append((form, words(num)))
    for num, packer in packers.items():
        num_bytes = num * model.size.width * _FLOAT_BYTES
        forms.append((Form(f"hidden, {num} vectors", num_bytes, num, str(num)), vectors(packer)))
    num_bytes = NUM_CONTEXT_TOKENS * _TOKEN_BYTES
    recomputed = f"{NUM_CONTEXT_TOKENS}, or 0 from a prefix cache"
    prefix = Form("prefix", num_bytes, NUM_CONTEXT_TOKENS, recomputed)
    return [*forms, (prefix, words(NUM_CONTEXT_TOKENS))]


def _measured(model: TinyModel, make: _Make, batch: Batch) -> Measured:
    with torch.inference_mode():
        state = make(batch.context_BT)
        one, question = batch.context_BT[:1], batch.question_BQ[:1]
        pack_ms = _best_ms(lambda: make(one))
        unpack_ms = _best_ms(lambda: answer_logits(model, state[:1], question))
    return Measured(success(model, state, batch), pack_ms, unpack_ms)


def _best_ms(act: Callable[[], object]) -> float:
    """The shortest of a few, which other programs disturbed least."""
    durations = []
    for _ in range(_NUM_TIMINGS):
        began = time.perf_counter()
        act()
        durations.append(time.perf_counter() - began)
    return 1000 * min(durations)


def _grid(forms: dict[str, Form], found: dict[str, list[Measured]]) -> Grid:
    rows = []
    for name, runs in found.items():
        form, value = forms[name], estimate([(run.success,) for run in runs])
        rows.append(
            [
                name,
                percent(value),
                f"{sum(run.pack_ms for run in runs) / len(runs):.2f}",
                f"{sum(run.unpack_ms for run in runs) / len(runs):.2f}",
                str(form.num_bytes),
                str(form.num_places),
                form.recomputed,
            ]
        )
    columns = ["state", "child success %", "pack ms", "unpack ms", "bytes", "places"]
    columns.append("tokens recomputed")
    return Grid(f"A parent that read {NUM_KEYS} facts, a child asked for one", columns, rows)


def _verdict(found: dict[str, list[Measured]]) -> str:
    def share(name: str) -> str:
        return percent(estimate([(run.success,) for run in found[name]]))

    num = NUM_PACKED[1]
    return (
        f"In {num} places of the child's prompt: hidden {share(f'hidden, {num} vectors')} %, "
        f"summary {share(f'summary, {num} words')} %; "
        f"the whole prefix, {NUM_CONTEXT_TOKENS} places: {share('prefix')} %."
    )


def _curve(num: int, rows: list[list[tuple[int, float]]]) -> Curve:
    steps = []
    for points in zip(*rows, strict=True):
        value = estimate([(reached,) for _, reached in points])
        steps.append(Step(points[0][0], value.mean, value.low, value.high))
    return Curve(f"hidden, {num} vectors, by updates", steps)


_NOTES = [
    "The parent does not know what will be asked.",
    "The packer of hidden state is learned by distillation from the prefix; the policy is frozen.",
    "A summary is the parent's first words, not a learned text; it holds half as many facts.",
    "Unpacking is the child's pass over state and question; nothing is cached between passes.",
    "Times are of one row on one thread: the best of five.",
]

STATE = State()
