"""Probes: whether an HTTP server on this machine or elsewhere answers."""

from __future__ import annotations

from collections.abc import Mapping

import httpx

TIMEOUT_S = 3.0


def status_of(url: str, headers: Mapping[str, str] | None = None) -> int | None:
    """The status of a GET, or None where nothing that speaks HTTP answers in time."""
    try:
        return httpx.get(
            url, headers=dict(headers or {}), timeout=TIMEOUT_S, trust_env=False
        ).status_code
    except (httpx.HTTPError, httpx.InvalidURL):
        return None


def is_up(url: str) -> bool:
    """Whether a GET succeeds."""
    return status_of(url) == httpx.codes.OK
