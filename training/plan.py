"""Plan: which rows each step of the optimizer takes, known from the seed alone.

So a run that was cut short goes on with exactly the rows that would have come next, and every
process of several knows what the others compute.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import NamedTuple

import numpy as np

from training.rows import packed
from training.training_rows import TrainingRow


class MicroBatch(NamedTuple):
    """Rows of one forward pass. Without `counts` it only keeps a process in step with others."""

    rows: list[TrainingRow]
    counts: bool


def steps_of(
    prompts: Sequence[Hashable], *, step_rows: int, epoch: int, seed: int
) -> list[list[int]]:
    """The rows of each step of an epoch, by index: every row once, `step_rows` at a time.

    Rows of one prompt stand together, so that it is computed once; prompts come by chance.
    """
    num_rows = len(prompts)
    drawn = np.random.default_rng([seed, epoch]).permutation(num_rows).tolist()
    first: dict[Hashable, int] = {}
    for place, index in enumerate(drawn):
        first.setdefault(prompts[index], place)
    order = sorted(drawn, key=lambda index: first[prompts[index]])
    return [order[start : start + step_rows] for start in range(0, num_rows, step_rows)]


def micro_batches(
    rows: Sequence[TrainingRow], *, max_padded_tokens: int, process: int, num_processes: int
) -> list[MicroBatch]:
    """What one of the processes computes of a step: as many micro-batches as every other."""
    batches = packed(rows, max_padded_tokens)
    mine = [MicroBatch(batch, counts=True) for batch in batches[process::num_processes]]
    if len(mine) < -(-len(batches) // num_processes):
        mine.append(MicroBatch(batches[-1], counts=False))
    return mine
