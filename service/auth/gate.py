"""Gate: middleware that lets through who is known and has the scope, before a body is read."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from banyan.access import Caller
from banyan.errors import BanyanError
from service import problems
from service.auth.keyring import Keyring
from service.auth.scopes import needed
from service.problems import Refused


class AuthGate:
    """`keyring` None: nobody is authenticated, and everyone may do everything."""

    def __init__(self, app: ASGIApp, *, keyring: Keyring | None) -> None:
        self.app = app
        self.keyring = keyring

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        try:
            caller = await self._caller(scope)
        except BanyanError as error:
            await problems.from_banyan(Request(scope), error)(scope, receive, send)
            return
        if caller is not None:
            scope["state"]["caller"] = caller
        await self.app(scope, receive, send)

    async def _caller(self, scope: Scope) -> Caller | None:
        if self.keyring is None:
            return Caller.nobody()
        wanted = needed(scope["path"])
        if wanted == "public":
            return None
        caller = await self.keyring.caller(Headers(scope=scope).get("authorization"))
        if wanted != "any" and wanted not in caller.scopes:
            raise Refused(
                f"This call needs the scope `{wanted}`.",
                code="missing_scope",
                hint="Use a key with this scope, or have one made.",
                status=403,
                headers={
                    "WWW-Authenticate": 'Bearer realm="banyan", error="insufficient_scope", '
                    f'scope="{wanted}"'
                },
            )
        return caller
