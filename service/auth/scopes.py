"""Scopes: what a path needs. One table, so that a new route cannot be open by oversight."""

from __future__ import annotations

from typing import Literal

from banyan.access import Scope

Needed = Scope | Literal["public", "any"]
"""`any`: a caller who is known. Paths that do not exist are such, or guessing would tell."""

PUBLIC = frozenset({"/", "/compare", "/healthz", "/readyz", "/openapi.json", "/docs", "/redoc"})
_PUBLIC_HEADS = frozenset({"assets", "solves"})
"""The web page: it holds nothing of anyone, and asks with a key of its reader's."""

_BY_HEAD: dict[str, Scope] = {
    "documents": "documents",
    "keys": "admin",
    "metrics": "admin",
    "policies": "policies",
    "solve": "solve",
    "v1": "solve",
    "webhooks": "webhooks",
}


def needed(path: str) -> Needed:
    """What a caller needs for this path, by its first part."""
    if path in PUBLIC:
        return "public"
    head = path.lstrip("/").partition("/")[0]
    return "public" if head in _PUBLIC_HEADS else _BY_HEAD.get(head, "any")
