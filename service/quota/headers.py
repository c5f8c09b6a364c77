"""Headers `RateLimit-Policy` and `RateLimit`: draft-ietf-httpapi-ratelimit-headers-10."""

from __future__ import annotations

from collections.abc import Sequence

from banyan.quotas import Left

_UNITS = {"trees": "concurrent-requests", "nodes": "nodes", "milli-usd-per-day": "milli-usd"}


def rate_limit_headers(standing: Sequence[Left]) -> dict[str, str]:
    """Both fields, each a structured list with one member a quota; none where none is set."""
    if not standing:
        return {}
    return {
        "RateLimit-Policy": ", ".join(_policy(one) for one in standing),
        "RateLimit": ", ".join(_left(one) for one in standing),
    }


def _policy(one: Left) -> str:
    window = "" if one.window_s is None else f";w={one.window_s}"
    return f'"{one.name}";q={one.size};qu="{_UNITS.get(one.name, "tokens")}"{window}'


def _left(one: Left) -> str:
    reset = "" if one.reset_s is None else f";t={one.reset_s}"
    return f'"{one.name}";r={one.left}{reset}'
