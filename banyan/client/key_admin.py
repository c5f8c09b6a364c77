"""`KeyAdmin`: make, list and revoke API keys over HTTP, with a key that has the scope `admin`.

A key whose reply was lost has been made, and is in the list.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from banyan.access import DEFAULT_TENANT, Scope
from banyan.client import calls
from banyan.client.admin import Admin
from banyan.client.keys import KeyInfo, KeyList, NewKey


class KeyAdmin(Admin):
    """The API keys of one service. Raises as `Admin` does."""

    path: ClassVar[str] = "/keys"

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
        return calls.parse(self._send("POST", "", body=body), NewKey)

    def list(self, tenant: str | None = None) -> KeyList:
        """All keys, or one tenant's."""
        params = {"tenant": tenant} if tenant is not None else {}
        return calls.parse(self._send("GET", "", params=params), KeyList)

    def revoke(self, prefix: str) -> KeyInfo:
        """The key opens nothing from now on."""
        return calls.parse(self._send("POST", f"/{prefix}/revoke"), KeyInfo)
