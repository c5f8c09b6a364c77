"""`state`: what a parent hands to its child: nothing, a few words, a few vectors, or its tokens.

Measured twice: facts, of which the child is asked for one, and a text that the child goes on with.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import msgspec
import torch
from torch import Tensor

from banyan.evaluation.stats import Estimate, estimate
from training.experiments.comparison import TellArm
from training.experiments.curves import Curve, Step
from training.experiments.experiment import command_of, percent, seed_notes
from training.experiments.preset import Preset
from training.experiments.report import Grid, Report
from training.experiments.results import RESULT, read, write
from training.experiments.state_task import (
    NUM_CONTEXT_TOKENS,
    NUM_KEYS,
    distilled,
    draw,
    generator_of,
    success,
    taught,
)
from training.experiments.state_text import (
    NUM_BEGINNING_TOKENS,
    bits,
    held_out,
    section_logits,
    text_distilled,
    text_taught,
)
from training.tiny.model import TinyModel
from training.tiny.packer import Packer, answer_logits

NUM_PACKED = (2, 4, 8)
"""Words that are kept, and vectors of a hidden state."""
_FACTS = f"A parent that read {NUM_KEYS} facts, a child asked for one"
_TEXT = f"A parent that read the first {NUM_BEGINNING_TOKENS} words of a text, a child that goes on"
_NUM_TIMINGS = 5
_TOKEN_BYTES, _FLOAT_BYTES = 4, 4
_Make = Callable[[Tensor], Tensor]


@dataclass(frozen=True, slots=True)
class Measured:
    """Of one form and seed. Times are of one parent and one child, alone.

    `score`: success of children that were asked, or bits per token of those that went on.
    """

    score: float
    pack_ms: float
    unpack_ms: float


@dataclass(frozen=True, slots=True)
class Form:
    """`num_places`: positions of the child's prompt that the state takes."""

    name: str
    num_bytes: int
    num_places: int
    recomputed: str


class _Found(msgspec.Struct, frozen=True):
    """What one seed found of one task. `learning`: by number of vectors, success by updates."""

    forms: list[tuple[Form, Measured]]
    learning: dict[int, list[tuple[int, float]]]


class _SeedFound(msgspec.Struct, frozen=True):
    fingerprint: str
    facts: _Found
    text: _Found
    ideal_bits: float
    """The source's own bits for the texts that it was measured on."""


class State:
    name = "state"
    title = "State: what a parent hands to its child"
    claim = "summary, prefix or hidden: child success, pack and unpack ms, bytes, tokens recomputed"

    def measure(self, preset: Preset, folder: Path, tell: TellArm) -> Report:
        """A policy and its packers for each task and seed, each of which is kept in `folder`."""
        facts, text, ideal = _Task(_FACTS), _Task(_TEXT), []
        for seed in range(preset.num_seeds):
            path = folder / self.name / preset.name / f"{self.name}-{seed}" / RESULT
            found = read(path, _SeedFound, preset.fingerprint)
            if found is None:
                found = _measured(preset, seed, tell)
                write(path, found)
            facts.add(found.facts)
            text.add(found.text)
            ideal.append(found.ideal_bits)
        return Report(
            name=self.name,
            title=self.title,
            claim=self.claim,
            command=command_of(self.name, preset),
            verdict=f"{_verdict_of_facts(facts)} {_verdict_of_text(text, ideal)}",
            notes=[*_NOTES, *seed_notes(preset)],
            grids=[_grid(facts, percent), _grid(text, in_bits)],
            curves=[_curve(num, rows) for num, rows in facts.learning.items()],
        )


@dataclass(slots=True)
class _Task:
    """What all seeds found of one task."""

    title: str
    found: dict[str, list[Measured]] = field(default_factory=dict)
    forms: dict[str, Form] = field(default_factory=dict)
    learning: dict[int, list[list[tuple[int, float]]]] = field(default_factory=dict)

    def add(self, found: _Found) -> None:
        for form, measured in found.forms:
            self.forms[form.name] = form
            self.found.setdefault(form.name, []).append(measured)
        for num, curve in found.learning.items():
            self.learning.setdefault(num, []).append(curve)

    def score(self, name: str) -> Estimate:
        return estimate([(one.score,) for one in self.found[name]])


def _measured(preset: Preset, seed: int, tell: TellArm) -> _SeedFound:
    facts = _measure_facts(preset, seed)
    tell(STATE.name, seed, "training", 1, 2)
    text, ideal_bits = _measure_text(preset, seed)
    tell(STATE.name, seed, "training", 2, 2)
    return _SeedFound(preset.fingerprint, facts, text, ideal_bits)


def _measure_facts(preset: Preset, seed: int) -> _Found:
    model = taught(preset.size, seed, preset.warmup.max_updates)
    packers, learning, forms = {}, {}, []
    for num in NUM_PACKED:
        packers[num], learning[num] = distilled(model, num, seed, preset.warmup.max_updates)
    batch = draw(generator_of(1_000 + seed), 1_000)
    question = batch.question_BQ[:1]
    for form, make in _forms(model, packers, NUM_CONTEXT_TOKENS):
        with torch.inference_mode():
            state = make(batch.context_BT)
            times = _times(make, batch.context_BT[:1], partial(answer_logits, model), question)
        forms.append((form, Measured(success(model, state, batch), *times)))
    return _Found(forms, learning)


def _measure_text(preset: Preset, seed: int) -> tuple[_Found, float]:
    """And the source's own bits for the texts that it was measured on."""
    model = text_taught(preset.size, seed, preset.warmup.max_updates)
    packers, forms = {}, []
    for num in NUM_PACKED:
        packers[num], _ = text_distilled(model, num, seed, preset.warmup.max_updates)
    batch = held_out(1_000 + seed, 1_000)
    section = batch.section_BC[:1]
    for form, make in _forms(model, packers, NUM_BEGINNING_TOKENS):
        with torch.inference_mode():
            state = make(batch.beginning_BS)
            times = _times(make, batch.beginning_BS[:1], partial(section_logits, model), section)
        forms.append((form, Measured(bits(model, state, batch), *times)))
    return _Found(forms, {}), batch.ideal_bits


def _forms(
    model: TinyModel, packers: dict[int, Packer], num_words: int
) -> list[tuple[Form, _Make]]:
    def words(num: int) -> _Make:
        return lambda context_BT: model.words(context_BT[:, :num])

    def vectors(packer: Packer) -> _Make:
        return lambda context_BT: packer(model, context_BT)

    forms = [(Form("none", 0, 0, "0"), words(0))]
    for num in NUM_PACKED:
        form = Form(f"truncation, {num} words", num * _TOKEN_BYTES, num, str(num))
        forms.append((form, words(num)))
    for num, packer in packers.items():
        num_bytes = num * model.size.width * _FLOAT_BYTES
        forms.append((Form(f"hidden, {num} vectors", num_bytes, num, str(num)), vectors(packer)))
    recomputed = f"{num_words}, or 0 from a prefix cache"
    prefix = Form("prefix", num_words * _TOKEN_BYTES, num_words, recomputed)
    return [*forms, (prefix, words(num_words))]


def _times(
    make: _Make, context: Tensor, read: Callable[[Tensor, Tensor], Tensor], rest: Tensor
) -> tuple[float, float]:
    """Milliseconds to pack one context, and to read its state with what comes behind it."""
    state = make(context)
    return _best_ms(lambda: make(context)), _best_ms(lambda: read(state, rest))


def _best_ms(act: Callable[[], object]) -> float:
    """The shortest of a few, which other programs disturbed least."""
    durations = []
    for _ in range(_NUM_TIMINGS):
        began = time.perf_counter()
        act()
        durations.append(time.perf_counter() - began)
    return 1000 * min(durations)


def _grid(task: _Task, shown: Callable[[Estimate], str]) -> Grid:
    rows = []
    for name, runs in task.found.items():
        form = task.forms[name]
        rows.append(
            [
                name,
                shown(task.score(name)),
                f"{sum(run.pack_ms for run in runs) / len(runs):.2f}",
                f"{sum(run.unpack_ms for run in runs) / len(runs):.2f}",
                str(form.num_bytes),
                str(form.num_places),
                form.recomputed,
            ]
        )
    measure = "child success %" if shown is percent else "bits per token"
    columns = ["state", measure, "pack ms", "unpack ms", "bytes", "places", "tokens recomputed"]
    return Grid(task.title, columns, rows)


def in_bits(value: Estimate) -> str:
    """`1.234 (1.200-1.260)`; without an interval where there is one seed alone."""
    mean = f"{value.mean:.3f}"
    return mean if value.n == 1 else f"{mean} ({value.low:.3f}-{value.high:.3f})"


def _verdict_of_facts(task: _Task) -> str:
    num = NUM_PACKED[1]
    return (
        f"Facts, in {num} places of the child's prompt: "
        f"hidden {percent(task.score(f'hidden, {num} vectors'))} %, "
        f"truncation {percent(task.score(f'truncation, {num} words'))} %; "
        f"the whole prefix, {NUM_CONTEXT_TOKENS} places: {percent(task.score('prefix'))} %."
    )


def _verdict_of_text(task: _Task, ideal: list[float]) -> str:
    num = NUM_PACKED[1]
    return (
        f"Text, bits per token: none {in_bits(task.score('none'))}, "
        f"truncation to {num} words {in_bits(task.score(f'truncation, {num} words'))}, "
        f"hidden in {num} vectors {in_bits(task.score(f'hidden, {num} vectors'))}, "
        f"prefix {in_bits(task.score('prefix'))}; "
        f"who knows the source: {sum(ideal) / len(ideal):.3f}."
    )


def _curve(num: int, rows: list[list[tuple[int, float]]]) -> Curve:
    steps = []
    for points in zip(*rows, strict=True):
        value = estimate([(reached,) for _, reached in points])
        steps.append(Step(points[0][0], value.mean, value.low, value.high))
    return Curve(f"hidden, {num} vectors, by updates", steps)


_NOTES = [
    "The parent does not know what will be asked, or what comes next.",
    "The packer of hidden state is learned by distillation from the prefix; the policy is frozen.",
    "Truncation is to the parent's first words. A summary that is learned by reward is not there.",
    "The text is the language source's: its beginning says the rules of what follows.",
    "Unpacking is the child's pass over state and question; nothing is cached between passes.",
    "Times are of one row on one thread: the best of five.",
]

STATE = State()
