"""Sampler: the next token's log-probabilities for many prefixes; each prefix is computed once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from training.tiny.model import TinyModel, padded
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
        missing.sort(key=len)
        for start in range(0, len(missing), _BATCH_ROWS):
            self._compute(missing[start : start + _BATCH_ROWS])
        self.num_asked += len(prefixes)
        self.num_computed += len(missing)
        return [self._known[prefix] for prefix in prefixes]

    def forget(self) -> None:
        self._known.clear()

    def _compute(self, prefixes: list[Ids]) -> None:
        last_B = torch.tensor([len(prefix) - 1 for prefix in prefixes])
        with torch.inference_mode():
            logits_BTV = self._model(padded(prefixes, PAD))
            logits_BV = logits_BTV[torch.arange(len(prefixes)), last_B]
            rows_BV = logits_BV.double().log_softmax(dim=-1).cpu().numpy()
        self._known.update(zip(prefixes, rows_BV, strict=True))
