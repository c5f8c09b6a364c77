"""Admin: what the clients for operators share, each for the calls below one path.

Nothing here is tried again by itself: a change whose reply was lost may have been made.
"""

from __future__ import annotations

from types import TracebackType
from typing import Any, ClassVar, Literal, Self

import httpx

from banyan.client import calls
from banyan.client.credentials import authorization

_TIMEOUT_S = 60.0


class Admin:
    """A connection to one service. Raises ServiceUnreachable and ServiceProblem (ClientError)."""

    path: ClassVar[str]

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

    def _send(
        self,
        method: Literal["GET", "POST"],
        path: str,
        *,
        body: dict[str, Any] | None = None,
        params: dict[str, str] | None = None,
        patience_s: float = 0.0,
    ) -> httpx.Response:
        """The reply. `patience_s`: how long the service may take beyond the usual."""
        try:
            response = self._http.request(
                method,
                f"{self.path}{path}",
                json=body,
                params=params,
                headers={"Prefer": f"wait={int(patience_s)}"},
                timeout=httpx.Timeout(_TIMEOUT_S, read=_TIMEOUT_S + patience_s),
            )
        except httpx.TransportError as error:
            raise calls.unreachable(self._url, error) from error
        calls.raise_for(response)
        return response
