"""Survey: looks up, again and again, how the whole installation stands, and tells the metrics.

Each service process does so, and all of them tell the same: take their maximum, not their sum.
"""

from __future__ import annotations

from collections import Counter

import structlog

from banyan import signals
from banyan.adapters.looping import Loop, survived
from banyan.ports import Metrics, PolicyStore, Store

EVERY_S = 5.0

log = structlog.get_logger("banyan.service")


class Surveyor:
    """Runs from `start` to `close`."""

    def __init__(self, store: Store, policies: PolicyStore, metrics: Metrics) -> None:
        self._store = store
        self._policies = policies
        self._metrics = metrics
        self._loop = Loop(
            "survey",
            self._again,
            pause_s=EVERY_S,
            survives=lambda: survived(log, "survey.failed", "survey", metrics),
        )

    def start(self) -> None:
        self._loop.start()

    async def close(self) -> None:
        await self._loop.close()

    async def look(self) -> None:
        """One look. Raises StoreUnavailable; what was told before then stays."""
        survey, put = await self._store.survey(), self._metrics.put
        put(signals.QUEUE_NODES, survey.due_nodes)
        put(signals.QUEUE_OLDEST, survey.oldest_due_s)
        put(signals.RUNNING_NODES, survey.running_nodes)
        put(signals.LEASES_EXPIRED, survey.expired_leases)
        put(signals.TREES_LOST, survey.lost_trees)
        put(signals.LOG_WAITING, survey.unlogged_trees)
        put(signals.WEBHOOKS_WAITING, survey.notices)
        put(signals.STORE_BYTES, survey.used_bytes)
        put(signals.STORE_MAX_BYTES, survey.max_bytes)
        registry = await self._policies.load()
        self._metrics.forget(signals.POLICY_LIVE)
        for policy, line in registry.lines.items():
            put(signals.POLICY_LIVE, 1, policy, line.live)
        self._metrics.forget(signals.POLICY_VERSIONS)
        states = Counter((known.policy, known.state) for known in registry.versions.values())
        for (policy, state), number in states.items():
            put(signals.POLICY_VERSIONS, number, policy, state)

    async def _again(self) -> bool:
        await self.look()
        return False
