"""Local only: while nobody is authenticated, web pages must not reach the service either.

A page in a browser on the same machine can send requests to loopback, and with a name of its own
that resolves to 127.0.0.1 (DNS rebinding) it can read the replies. Its requests carry its name.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from service import problems
from service.settings import is_loopback


class LocalOnly:
    """Middleware: requests under the name of another host, or from its pages, are refused."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        origin = headers.get("origin")
        if _is_local(f"//{headers.get('host', '')}") and (origin is None or _is_local(origin)):
            await self.app(scope, receive, send)
            return
        refusal = problems.reply(
            scope["state"],
            403,
            detail="Without authentication, the service answers this machine only.",
            code="not_local",
            hint="Use http://127.0.0.1, or set BANYAN_ALLOW_NO_AUTH=true behind a proxy of yours.",
        )
        await refusal(scope, receive, send)


def _is_local(url: str) -> bool:
    try:
        host = urlsplit(url).hostname
    except ValueError:
        return False
    return host is not None and is_loopback(host)
