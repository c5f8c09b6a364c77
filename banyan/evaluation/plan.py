"""Plan: what one evaluation runs, on what, and where its results go."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import JsonValue

from banyan.settings import EngineKind
from banyan.task import GateMode

StateForm = Literal["auto", "summary"]

SERVICE = "banyan"
"""The name of the service among the systems."""

DEFAULT_DATA = Path("../shared/data")
DEFAULT_OUT = Path("var/eval")


@dataclass(frozen=True, slots=True)
class Plan:
    """`url` names a service that runs, `engine_url` a model server; what is not named is started.

    `limit` is of each bucket. `parallel` questions are in flight at one time.
    """

    sets: tuple[str, ...]
    data: Path = DEFAULT_DATA
    out: Path = DEFAULT_OUT
    with_service: bool = True
    url: str | None = None
    engine_kind: EngineKind = "llama"
    engine_url: str | None = None
    model: str | None = None
    window: int = 2_048
    gate: GateMode | None = None
    threshold: float | None = None
    state: StateForm = "auto"
    baselines: tuple[str, ...] = ()
    limit: int | None = None
    buckets: tuple[str, ...] = ()
    seed: int = 0
    parallel: int = 1
    fresh: bool = False
    """Ask for everything again, whatever is on the disk."""

    def settings_of(self, system: str, model: str, prompts: int) -> dict[str, JsonValue]:
        """What an answer of `system` depends on beside the question; part of its fingerprint."""
        shared: dict[str, JsonValue] = {"model": model, "window": self.window}
        if system != SERVICE:
            return shared
        return {
            **shared,
            "prompts": prompts,
            "gate": self.gate,
            "threshold": self.threshold,
            "state": self.state,
        }
