"""Credentials: how a request of ours carries its key. In a header, never in a URL."""

from __future__ import annotations

import os

API_KEY_VARIABLE = "BANYAN_API_KEY"


def authorization(api_key: str | None) -> dict[str, str]:
    """The header for `api_key`, or for that of the environment; none where there is neither."""
    key = api_key or os.environ.get(API_KEY_VARIABLE)
    return {"Authorization": f"Bearer {key}"} if key else {}
