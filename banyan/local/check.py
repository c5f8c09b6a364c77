"""Check: one finding of `banyan doctor`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "missing", "note"]


@dataclass(frozen=True, slots=True)
class Check:
    """`missing` is needed to run at all; a `note` is not."""

    name: str
    state: State
    detail: str
    how: str = ""
