"""Sweeper: removes the texts that trees derived, once the trees are gone.

What is removed is told only then: a sweeper that dies in between leaves the rest to the next one.
"""

from __future__ import annotations

import structlog

from banyan.ports import Leftovers, Library

LEASE_S = 60.0
_AT_ONE_TIME = 16
"""Trees."""

log = structlog.get_logger(__name__)


class Sweeper:
    """Takes what is due out of the leftovers, and out of the library."""

    def __init__(self, leftovers: Leftovers, library: Library) -> None:
        self._leftovers = leftovers
        self._library = library

    async def step(self) -> int:
        """Remove what is due now; how many texts that were. Raises what the ports raise."""
        num_removed = 0
        for leftover in await self._leftovers.take(lease_s=LEASE_S, limit=_AT_ONE_TIME):
            for document in leftover.documents:
                num_removed += await self._library.forget(leftover.tenant, document)
            await self._leftovers.done(leftover)
            log.info(
                "texts.removed",
                tree_id=leftover.tree_id,
                tenant=leftover.tenant,
                num_texts=len(leftover.documents),
            )
        return num_removed
