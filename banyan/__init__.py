"""Banyan: recursive inference as a service. The shared vocabulary and the kernel.

`from banyan import Client, AsyncClient` gives the SDK, which is imported when it is asked for: the
kernel does without it.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from banyan.client import AsyncClient, Client

__all__ = ["AsyncClient", "Client"]


def __getattr__(name: str) -> object:
    if name in __all__:
        return getattr(importlib.import_module("banyan.client"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
