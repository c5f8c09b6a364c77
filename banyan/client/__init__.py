"""Client: the Python SDK and the `banyan` command line."""

from banyan.client.async_sdk import AsyncClient
from banyan.client.sdk import Client

__all__ = ["AsyncClient", "Client"]
