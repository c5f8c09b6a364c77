"""What the all-in-one is asked to run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from banyan.settings import EngineKind

Swap = Literal["none", "full", "adapters"]

DEFAULT_PORT = 8080
DEFAULT_WINDOW = 2_048
LLAMA_SLOTS = 8
"""As many calls as the embedded engine computes at one time."""
SERVER_SLOTS = 64
"""Of other servers, which batch: workers find by themselves how many calls each takes."""


@dataclass(frozen=True, slots=True)
class Options:
    """`engine_url` names a model server that runs already; `data_dir` None keeps nothing.

    `small_model`: the model is to be spared what very small ones cannot do.
    """

    engine: EngineKind = "llama"
    engine_url: str | None = None
    model: str | None = None
    small_model: bool = False
    port: int = DEFAULT_PORT
    window: int = DEFAULT_WINDOW
    num_workers: int = 1
    slots: int | None = None
    """Model calls at one time, over all workers. None: as many as this kind of engine takes."""
    data_dir: Path | None = None
    swap: Swap = "none"
    """What of vLLM's weights can be changed while it runs."""
    vllm_options: tuple[str, ...] = ()
    """Given to vLLM as they are, behind Banyan's own."""

    @property
    def is_small(self) -> bool:
        """Whether the model is said to be very small, or is the one that is brought along."""
        return self.small_model or (self.model is None and self.engine_url is None)

    @property
    def engine_slots(self) -> int:
        """Requests that an embedded engine computes at one time; the others wait in its queue."""
        return min(self.num_slots, LLAMA_SLOTS)

    @property
    def num_slots(self) -> int:
        """Model calls at one time, over all workers."""
        return self.slots or (LLAMA_SLOTS if self.engine == "llama" else SERVER_SLOTS)

    @property
    def slots_per_worker(self) -> int:
        """Nodes that one worker process runs at one time."""
        return -(-self.num_slots // self.num_workers)
