"""The root of the tests in the trainer's environment, which has no service and no Redis."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tests.training_torch.tiny_llama import Scorer, write_model

pytest_plugins = ["tests.fixtures.busy"]

torch.set_num_threads(1)  # the tensors are tiny, and threads that wait for a core take longer


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """The folder of a tiny Llama."""
    return write_model(tmp_path / "tiny")


@pytest.fixture
def scorer(model: Path) -> Scorer:
    return Scorer.of(model)
