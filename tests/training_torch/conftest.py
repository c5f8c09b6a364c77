"""The root of the tests in the trainer's environment, which has no service and no Redis."""

from __future__ import annotations

import torch

pytest_plugins = ["tests.fixtures.busy"]

torch.set_num_threads(1)  # the tensors are tiny, and threads that wait for a core take longer
