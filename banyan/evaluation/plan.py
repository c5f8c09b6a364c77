"""Plan: what one evaluation runs, on what, and where its results go."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from banyan.settings import EngineKind
from banyan.task import GateMode, StateChoice

SERVICE = "banyan"
"""The name of the service among the systems."""

BOOKS = "books_lm"
"""The set whose systems are forms of state, and whose score is a likelihood."""

DEFAULT_DATA = Path("../shared/data")
DEFAULT_OUT = Path("var/eval")


@dataclass(frozen=True, slots=True)
class Plan:
    """`url` names a service that runs, `engine_url` a model server; what is not named is started.

    `packer_url` names a packer that scores; one is started beside a model server that is.

    `limit` is of each bucket. `parallel` questions are in flight at one time.
    """

    sets: tuple[str, ...]
    data: Path = DEFAULT_DATA
    out: Path = DEFAULT_OUT
    with_service: bool = True
    url: str | None = None
    engine_kind: EngineKind = "llama"
    engine_url: str | None = None
    packer_url: str | None = None
    model: str | None = None
    small_model: bool = False
    window: int = 2_048
    gate: GateMode | None = None
    threshold: float | None = None
    state: StateChoice = "auto"
    baselines: tuple[str, ...] = ()
    limit: int | None = None
    buckets: tuple[str, ...] = ()
    seed: int = 0
    parallel: int = 1
    fresh: bool = False
    """Ask for everything again, whatever is on the disk."""
