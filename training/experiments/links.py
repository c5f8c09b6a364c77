"""`links`: what is left of the speed-up where workers are behind slow links.

Trees grow through the kernel's own driver on a fake engine with eight slots; what a call needs
travels over a link with a round-trip time and a bandwidth. The baseline is one worker beside the
tree, which works through the same calls in sequence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from banyan.evaluation.stats import Estimate, Measures, estimate
from training.experiments import worker_slots
from training.experiments.comparison import TellArm
from training.experiments.experiment import command_of
from training.experiments.preset import Preset
from training.experiments.report import Grid, Report
from training.experiments.worker_slots import Link, Measured

NUM_WORKERS = 8
ROUND_TRIPS_S = (0.0, 0.01, 0.05, 0.2)
BANDWIDTHS: tuple[float | None, ...] = (None, 1e6, 1e5, 1e4)
"""Bytes/s."""


@dataclass(frozen=True, slots=True)
class _Shape:
    name: str
    is_chained: bool


_SHAPES = (_Shape("independent", is_chained=False), _Shape("chained", is_chained=True))


class Links:
    name = "links"
    title = "Links: speed-up over round-trip time and bandwidth between workers"
    claim = "speed-up over injected round-trip time and bandwidth (no figure is claimed)"

    def measure(self, preset: Preset, folder: Path, tell: TellArm) -> Report:
        """Nothing is trained, and nothing is kept in `folder`; each seed is a repetition."""
        del folder
        grids, found = [], dict[str, list[list[Estimate]]]()
        for shape in _SHAPES:
            grids.append(_grid(shape, preset.num_seeds, found))
            tell(shape.name, 0, "evaluation", 1, 1)
        return Report(
            name=self.name,
            title=self.title,
            claim=self.claim,
            command=command_of(self.name, preset),
            verdict=_verdict(found),
            notes=_NOTES,
            grids=grids,
            curves=[],
        )


def speed_up(base: Sequence[Measured], linked: Sequence[Measured]) -> Estimate:
    """Over repetitions: wall clock of one worker beside the tree over that of many behind links."""
    rows: list[Measures] = [
        (one.wall_s / other.wall_s,) for one, other in zip(base, linked, strict=True)
    ]
    return estimate(rows)


def _grid(shape: _Shape, num_repeats: int, found: dict[str, list[list[Estimate]]]) -> Grid:
    base = [worker_slots.measure(1, is_chained=shape.is_chained) for _ in range(num_repeats)]
    values = [
        [
            speed_up(
                base,
                [
                    worker_slots.measure(
                        NUM_WORKERS, is_chained=shape.is_chained, link=Link(wait_s, bandwidth)
                    )
                    for _ in range(num_repeats)
                ],
            )
            for bandwidth in BANDWIDTHS
        ]
        for wait_s in ROUND_TRIPS_S
    ]
    found[shape.name] = values
    rows = [
        [f"{1000 * wait_s:.0f} ms", *map(_shown, row)]
        for wait_s, row in zip(ROUND_TRIPS_S, values, strict=True)
    ]
    columns = ["round trip", *map(_bandwidth, BANDWIDTHS)]
    return Grid(
        f"Speed-up of {NUM_WORKERS} workers behind links, {shape.name} parts"
        f" ({base[0].num_calls} calls of {base[0].bytes_per_call:.0f} bytes)",
        columns,
        rows,
    )


def _verdict(found: dict[str, list[list[Estimate]]]) -> str:
    near, far = found["independent"][0][0], found["independent"][-1][-1]
    return (
        f"{NUM_WORKERS} workers do independent parts {near.mean:.2f} times as fast as one without a"
        f" link, and {far.mean:.2f} times over the slowest; a chain"
        f" {found['chained'][0][0].mean:.2f} and {found['chained'][-1][-1].mean:.2f} times."
    )


def _shown(value: Estimate) -> str:
    if value.n == 1:
        return f"{value.mean:.2f}"
    return f"{value.mean:.2f} ({value.low:.2f}-{value.high:.2f})"


def _bandwidth(value: float | None) -> str:
    return "no limit" if value is None else f"{value / 1000:.0f} kB/s"


_NOTES = [
    f"A call takes {1000 * worker_slots.LATENCY_S:.0f} ms; the fake engine has a slot a worker.",
    "Every call pays the link once, for its whole dialogue, there and back; links do not queue.",
    "One worker beside the tree is 1.00: below that, dividing over the link costs time.",
    "The kernel, its store and its driver are real and in one process; the link is a wait.",
]

LINKS = Links()
