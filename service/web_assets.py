"""Web assets: the files of the web page, read once, with what a browser must hold itself to.

There is no build: what stands in `service/web/` is what is served. The policy lets a page run our
own files and nothing else: no inline script or style, no other origin, no markup made of strings.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable

from banyan.notices import MEANING

PAGE = "index.html"

_POLICY = (
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
)
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": "; ".join(_POLICY),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",  # kept, and asked for by ETag: a page never mixes two versions
}

_MEDIA_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".json": "application/json",
}


@dataclass(frozen=True, slots=True)
class Asset:
    """One file: its bytes, what they are, and a tag that changes with them."""

    body: bytes
    media_type: str
    etag: str


def load() -> dict[str, Asset]:
    """All files by their path below `service/web/`, such as `js/app.js`.

    `notices.json` is made here of what `banyan/notices.py` says, so that the page says the same.
    """
    found = dict(_walk(files("service").joinpath("web"), ""))
    found["notices.json"] = _asset("notices.json", json.dumps(MEANING).encode())
    return found


def _walk(folder: Traversable, prefix: str) -> list[tuple[str, Asset]]:
    assets: list[tuple[str, Asset]] = []
    for entry in folder.iterdir():
        path = f"{prefix}{entry.name}"
        if entry.is_dir():
            assets += _walk(entry, f"{path}/")
        elif any(path.endswith(suffix) for suffix in _MEDIA_TYPES):
            assets.append((path, _asset(path, entry.read_bytes())))
    return assets


def _asset(path: str, body: bytes) -> Asset:
    media_type = _MEDIA_TYPES[path[path.rindex(".") :]]
    return Asset(body, media_type, f'"{hashlib.sha256(body).hexdigest()[:32]}"')
