"""Statistics: means with bootstrap confidence intervals, of one system and of a pair.

An item's result is a row of one or more measures, and what is estimated is the geometric mean of
the measures' means: the mean itself for one measure, and for ROUGE-1, -2 and -L the headline of
SCROLLS (arXiv 2201.03533), which is taken over the means, not item by item.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

NUM_RESAMPLES = 10_000
_QUANTILES = (0.025, 0.975)
_CHUNK = 500
"""Resamples at one time, so that memory stays small."""

Measures = tuple[float, ...]
_Array = npt.NDArray[np.float64]


class Estimate(BaseModel):
    """A value and its 95 % interval, by the percentile bootstrap over items (Efron 1979)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    mean: float
    low: float
    high: float
    n: int


def estimate(rows: Sequence[Measures], *, seed: int = 0) -> Estimate:
    """Of one system: a row an item. Raises ValueError where there are none."""
    sample = _array(rows)
    means = _resampled(len(sample), seed, lambda picked: _headline(sample[picked]))
    return _estimate(_headline(sample[None])[0], means, len(sample))


def difference(ours: Sequence[Measures], theirs: Sequence[Measures], *, seed: int = 0) -> Estimate:
    """Ours minus theirs; row by row both are of the same item, and are drawn together."""
    left, right = _array(ours), _array(theirs)
    if len(left) != len(right):
        raise ValueError(f"pairs are needed, not {len(left)} and {len(right)} rows")
    means = _resampled(
        len(left), seed, lambda picked: _headline(left[picked]) - _headline(right[picked])
    )
    mean = _headline(left[None])[0] - _headline(right[None])[0]
    return _estimate(mean, means, len(left))


def _array(rows: Sequence[Measures]) -> _Array:
    if not rows:
        raise ValueError("an estimate needs at least one item")
    return np.asarray(rows, dtype=np.float64)


def _headline(samples: _Array) -> _Array:
    """Of each sample `[S, N items, M measures]`, the geometric mean of the M means: `[S]`."""
    means: _Array = samples.mean(axis=1)
    result: _Array = means.prod(axis=1) ** (1 / means.shape[1])
    return result


def _resampled(
    num_items: int, seed: int, headline: Callable[[npt.NDArray[np.int64]], _Array]
) -> _Array:
    generator = np.random.default_rng(seed)
    return np.concatenate(
        [
            headline(generator.integers(0, num_items, (_CHUNK, num_items)))
            for _ in range(NUM_RESAMPLES // _CHUNK)
        ]
    )


def _estimate(mean: float, means: _Array, num_items: int) -> Estimate:
    low, high = np.quantile(means, _QUANTILES)
    return Estimate(mean=float(mean), low=float(low), high=float(high), n=num_items)
