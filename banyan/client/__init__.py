"""Client: the Python SDK and the `banyan` command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from banyan.client.async_sdk import AsyncClient
    from banyan.client.sdk import Client

__all__ = ["AsyncClient", "Client"]


def __getattr__(name: str) -> object:
    """The clients are imported when they are asked for: the command line starts without them."""
    if name == "AsyncClient":
        from banyan.client.async_sdk import AsyncClient  # noqa: PLC0415

        return AsyncClient
    if name == "Client":
        from banyan.client.sdk import Client  # noqa: PLC0415

        return Client
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
