"""Described: what the OpenAPI document says of keys, scopes, and refusals for want of them."""

from __future__ import annotations

from typing import Any

from service.auth.scopes import needed
from service.facade import errors
from service.problems import documented

_SCHEME = "bearer"


def secured(document: dict[str, Any]) -> None:
    """Add to every operation that is not public that it needs a key, and which scope it opens."""
    document["components"]["securitySchemes"] = {
        _SCHEME: {
            "type": "http",
            "scheme": "bearer",
            "description": "An API key, or a token of the issuer that the service is set up for. "
            "Not needed where the service listens on loopback without authentication.",
        }
    }
    for path, operations in document["paths"].items():
        wanted = needed(path)
        if wanted == "public":
            continue
        for operation in operations.values():
            operation["security"] = [{_SCHEME: [] if wanted == "any" else [wanted]}]
            refusals = errors.described if path.startswith(errors.PREFIX) else documented
            for status, reply in refusals(401, 403).items():
                operation["responses"].setdefault(str(status), reply)
