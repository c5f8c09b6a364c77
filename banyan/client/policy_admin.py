"""`PolicyAdmin`: publish weights and move versions over HTTP, for operators and trainers."""

from __future__ import annotations

from typing import Any, ClassVar

from banyan.client import calls
from banyan.client.admin import Admin
from banyan.client.policies import PolicyDetail, PolicyList, PolicyVersion

_COPY_S = 1_800.0
"""Copying and checking full weights takes as long as the disk does."""


class PolicyAdmin(Admin):
    """The versions of one service's weights. Raises as `Admin` does."""

    path: ClassVar[str] = "/policies"

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

    def _changed(
        self, path: str, body: dict[str, Any] | None, *, patience_s: float = 0.0
    ) -> PolicyVersion:
        return calls.parse(
            self._send("POST", path, body=body, patience_s=patience_s), PolicyVersion
        )
