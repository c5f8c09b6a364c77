"""Sampler: the next token's log-probabilities for many prefixes; each prefix is computed once."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import numpy as np
import torch
from numpy.typing import NDArray

from training.tiny.model import TinyModel, padded
from training.tiny.nested import nested
from training.tiny.vocabulary import PAD, Ids

_BATCH_ROWS = 1_024

Row = NDArray[np.float64]


class Sampler:
    """Keeps what it computed until `forget`, which has to follow every change of the weights."""

    def __init__(self, model: TinyModel) -> None:
        self._model = model
        self._known: dict[Ids, Row] = {}
        self.num_asked = 0
        self.num_computed = 0

    def logprobs(self, prefixes: Sequence[Ids]) -> list[Row]:
        """Float[V] for each prefix, in nats, raw (over the whole vocabulary), at temperature 1."""
        missing = [prefix for prefix in dict.fromkeys(prefixes) if prefix not in self._known]
        self._compute(missing)
        self.num_asked += len(prefixes)
        self.num_computed += len(missing)
        return [self._known[prefix] for prefix in prefixes]

    def forget(self) -> None:
        self._known.clear()

    def _compute(self, prefixes: list[Ids]) -> None:
        rows, places = nested(prefixes)
        ends = sorted(zip(places, prefixes, strict=True))
        for first, group in groupby(ends, key=lambda end: end[0][0] // _BATCH_ROWS * _BATCH_ROWS):
            at, ended = zip(*group, strict=True)
            row_P, last_P = torch.tensor(at).unbind(dim=1)
            with torch.inference_mode():
                logits_BTV = self._model(padded(rows[first : first + _BATCH_ROWS], PAD))
                logits_PV = logits_BTV[row_P - first, last_P]
                logprobs_PV = logits_PV.double().log_softmax(dim=-1).cpu().numpy()
            self._known.update(zip(ended, logprobs_PV, strict=True))
