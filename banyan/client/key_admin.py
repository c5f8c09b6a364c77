"""`KeyAdmin`: make, list and revoke API keys over HTTP, with a key that has the scope `admin`.

Nothing here is tried again by itself: a key whose reply was lost has been made, and is in the list.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Any, Literal, Self

import httpx

from banyan.access import DEFAULT_TENANT, Scope
from banyan.client import calls
from banyan.client.credentials import authorization
from banyan.client.keys import KeyInfo, KeyList, NewKey

_TIMEOUT_S = 60.0


class KeyAdmin:
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
            base_url=url,
            timeout=_TIMEOUT_S,
            transport=transport,
            headers=authorization(api_key),
        )

    def create(
        self,
        *,
        tenant: str = DEFAULT_TENANT,
        scopes: Sequence[Scope] = ("solve", "documents"),
        name: str = "",
        expires_in_s: float | None = None,
    ) -> NewKey:
        """A new key, which is in this reply and nowhere else."""
        body = {
            "tenant": tenant,
            "scopes": list(scopes),
            "name": name,
            "expires_in_s": expires_in_s,
        }
        return calls.parse(self._send("POST", "", json=body), NewKey)

    def list(self, tenant: str | None = None) -> KeyList:
        """All keys, or one tenant's."""
        params = {"tenant": tenant} if tenant is not None else {}
        return calls.parse(self._send("GET", "", params=params), KeyList)

    def revoke(self, prefix: str) -> KeyInfo:
        """The key opens nothing from now on."""
        return calls.parse(self._send("POST", f"/{prefix}/revoke"), KeyInfo)

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

    def _send(self, method: Literal["GET", "POST"], path: str, **request: Any) -> httpx.Response:
        try:
            response = self._http.request(method, f"/keys{path}", **request)
        except httpx.TransportError as error:
            raise calls.unreachable(self._url, error) from error
        calls.raise_for(response)
        return response
