"""`PolicyAdmin`: publish weights and move versions over HTTP, for operators and trainers.

Nothing here is tried again by itself: a change whose reply was lost may have been made.
"""

from __future__ import annotations

from types import TracebackType
from typing import Any, Literal, Self

import httpx

from banyan.client import calls
from banyan.client.credentials import authorization
from banyan.client.policies import PolicyDetail, PolicyList, PolicyVersion

_TIMEOUT_S = 60.0
_COPY_S = 1_800.0
"""Copying and checking full weights takes as long as the disk does."""


class PolicyAdmin:
    """A connection to one service. Raises ServiceUnreachable and ServiceProblem (ClientError)."""

    def __init__(
        self,
        url: str = calls.DEFAULT_URL,
        *,
        api_key: str | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._url = url
        self._http = httpx.Client(
            base_url=url, timeout=_TIMEOUT_S, transport=transport, headers=authorization(api_key)
        )

    def list(self) -> PolicyList:
        """All versions, and which ones are in service."""
        return calls.parse(self._send("GET", ""), PolicyList)

    def get(self, version: str) -> PolicyDetail:
        """One version, with its manifest."""
        return calls.parse(self._send("GET", f"/{version}"), PolicyDetail)

    def publish(self, directory: str) -> PolicyVersion:
        """Publish a directory inside the service's folder of policies, named relative to it."""
        body = {"directory": directory}
        return self._changed("", body, patience_s=_COPY_S)

    def promote(
        self, version: str, *, share: float = 1.0, wait_s: float = calls.MAX_WAIT_S
    ) -> PolicyVersion:
        """Make a version live, or the canary of a share of new solves; wait until it is."""
        return self._changed(f"/{version}/promote", {"share": share}, patience_s=wait_s)

    def roll_back(self, version: str) -> PolicyVersion:
        """Take a version back."""
        return self._changed(f"/{version}/rollback", None)

    def reject(self, version: str, *, reason: str) -> PolicyVersion:
        """Never serve a version (again)."""
        return self._changed(f"/{version}/reject", {"reason": reason})

    def close(self) -> None:
        """Give the connection back."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _changed(
        self, path: str, body: dict[str, Any] | None, *, patience_s: float = 0.0
    ) -> PolicyVersion:
        return calls.parse(self._send("POST", path, body, patience_s), PolicyVersion)

    def _send(
        self,
        method: Literal["GET", "POST"],
        path: str,
        body: dict[str, Any] | None = None,
        patience_s: float = 0.0,
    ) -> httpx.Response:
        try:
            response = self._http.request(
                method,
                f"/policies{path}",
                json=body,
                headers={"Prefer": f"wait={int(patience_s)}"},
                timeout=httpx.Timeout(_TIMEOUT_S, read=_TIMEOUT_S + patience_s),
            )
        except httpx.TransportError as error:
            raise calls.unreachable(self._url, error) from error
        calls.raise_for(response)
        return response
