"""Meter: asks a tenant's quotas before a tree is admitted, and counts it.

A refusal stores nothing. Trees count until they have ended: what is counted is looked up again when
a quota is used up, and now and then besides, so that nobody has to tell the ledger.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, MutableMapping, Sequence
from typing import Any

from banyan.errors import NotFound
from banyan.limits import Limits
from banyan.ports import Entry, Ledger, Store
from banyan.prices import NANO
from banyan.quotas import Quota, TenantSpending, standing
from banyan.tree import FINAL
from service.problems import Refused
from service.quota.headers import rate_limit_headers
from service.quota.rules import Rules

RESERVED_S = 60.0
"""How long an admission may take; what is reserved for longer was left behind by a crash."""
SLACK_S = 600.0
"""How long after its deadline a tree may still be winding up."""
LOOK_EVERY_S = 1.0
FULL_RETRY_S = 5


class Meters:
    """Of one service process. `clock`: monotonic seconds."""

    def __init__(
        self,
        rules: Rules,
        ledger: Ledger,
        store: Store,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.ledger = ledger
        self.store = store
        self._rules = rules
        self._clock = clock
        self._looked_at: dict[str, float] = {}
        self._looks: dict[str, asyncio.Task[bool]] = {}
        """Under way, by tenant: a crowd that is over its quota looks once, not once each."""

    def change(self, rules: Rules) -> None:
        """Other quotas from the next request on; what is counted stays counted."""
        self._rules = rules

    def of(self, tenant: str, state: MutableMapping[str, Any]) -> Meter:
        """For one request, whose state gets the headers of its reply."""
        return Meter(self, tenant, self._rules.of(tenant), state)

    async def forget_ended(self, tenant: str, entry: Entry, *, always: bool) -> bool:
        """Release counted trees that have ended; whether there were any."""
        now = self._clock()
        if not always and now - self._looked_at.get(tenant, float("-inf")) < LOOK_EVERY_S:
            return False
        self._looked_at[tenant] = now
        # One that began before this request came may have missed what has ended since.
        under_way = self._looks.get(tenant)
        if under_way is not None and await asyncio.shield(under_way):
            return True
        look = self._looks.get(tenant)
        if look is None:
            look = asyncio.create_task(self._release_ended(tenant, entry.kept), name="quota look")
            self._looks[tenant] = look
            look.add_done_callback(lambda _: self._looks.pop(tenant))
        return await asyncio.shield(look)

    async def _release_ended(self, tenant: str, kept: Sequence[str]) -> bool:
        ended = await asyncio.gather(*(self._has_ended(tree_id) for tree_id in kept))
        gone = [tree_id for tree_id, is_over in zip(kept, ended, strict=True) if is_over]
        await self.ledger.release(tenant, *gone)
        return bool(gone)

    async def _has_ended(self, tree_id: str) -> bool:
        try:
            return (await self.store.get_tree(tree_id)).status in FINAL
        except NotFound:
            return True


class Meter:
    """One tenant's quotas, for one request."""

    def __init__(
        self, meters: Meters, tenant: str, quota: Quota, state: MutableMapping[str, Any]
    ) -> None:
        self.tenant = tenant
        self._meters = meters
        self._quota = quota
        self._state = state
        self._is_reserved = False

    async def reserve(self, tree_id: str, limits: Limits, *, reopens: bool = False) -> None:
        """Count a tree that shall be admitted or, where `reopens`, resumed. Raises Refused.

        One that is to be admitted and is there already passes: its request is being repeated.
        """
        quota = self._quota
        if quota.nodes is not None and limits.max_nodes > quota.nodes:
            raise Refused(
                f"limits.max_nodes: {limits.max_nodes}, and the tenant's quota is {quota.nodes}.",
                code="over_quota",
                hint=f"Set limits.max_nodes to at most {quota.nodes}.",
                field="limits.max_nodes",
            )
        spending = None
        if quota.counts_spending:
            spending = await self._meters.store.spending(self.tenant)
        entry = await self._counted(tree_id, limits) if quota.counts_trees else None
        trees, nodes = (entry.trees, entry.nodes) if entry else (0, 0)
        left = standing(quota, trees=trees, nodes=nodes, spending=spending)
        self._state["rate_limit"] = rate_limit_headers(left)
        refusal = self._refusal(limits, entry, spending)
        if refusal is not None:
            await self.give_up(tree_id)
            if reopens or not await self._is_there(tree_id):
                raise refusal

    async def keep(self, tree_id: str, *, deadline_s: float) -> None:
        """The tree was admitted."""
        if self._is_reserved:
            await self._meters.ledger.keep(self.tenant, tree_id, ttl_s=deadline_s + SLACK_S)

    async def give_up(self, tree_id: str) -> None:
        """It was not; what this request reserved is free again."""
        if self._is_reserved:
            self._is_reserved = False
            await self._meters.ledger.release(self.tenant, tree_id)

    async def _counted(self, tree_id: str, limits: Limits) -> Entry:
        entry = await self._ask(tree_id, limits)
        if await self._meters.forget_ended(self.tenant, entry, always=not entry.is_granted):
            was_new = entry.is_new
            entry = await self._ask(tree_id, limits)
            self._is_reserved = was_new or entry.is_new
        else:
            self._is_reserved = entry.is_new
        return entry

    async def _ask(self, tree_id: str, limits: Limits) -> Entry:
        return await self._meters.ledger.reserve(
            self.tenant,
            tree_id,
            nodes=limits.max_nodes,
            max_trees=self._quota.trees,
            max_nodes=self._quota.nodes,
            ttl_s=RESERVED_S,
        )

    async def _is_there(self, tree_id: str) -> bool:
        try:
            return (await self._meters.store.get_tree(tree_id)).tenant == self.tenant
        except NotFound:
            return False

    def _refusal(
        self, limits: Limits, entry: Entry | None, spending: TenantSpending | None
    ) -> Refused | None:
        quota = self._quota
        if entry is not None and not entry.is_granted:
            if quota.trees is not None and entry.trees >= quota.trees:
                what = f"{entry.trees} unfinished solves, and its quota is {quota.trees}"
                hint = "Wait until one has finished, or cancel one."
            else:
                what = (
                    f"unfinished solves of {entry.nodes} nodes in all, this one has "
                    f"{limits.max_nodes}, and its quota is {quota.nodes}"
                )
                hint = "Wait until one has finished, cancel one, or lower limits.max_nodes."
            return _exceeded(what, hint, FULL_RETRY_S)
        if spending is None:
            return None
        later = "Try again after the seconds that Retry-After says."
        if (size := quota.tokens_per_minute) is not None and spending.tokens_per_minute >= size:
            wait_s = spending.seconds_until_below(size)
            return _exceeded(f"used its quota of {size} tokens a minute", later, wait_s)
        today = spending.seconds_left_today
        if (size := quota.tokens_per_day) is not None and spending.day_tokens >= size:
            return _exceeded(f"used its quota of {size} tokens a day", later, today)
        usd = quota.usd_per_day
        if usd is not None and spending.day_nano_usd >= usd * NANO:
            return _exceeded(f"used its quota of {usd:g} USD a day", later, today)
        return None


def _exceeded(what: str, hint: str, retry_s: int) -> Refused:
    return Refused(
        f"The tenant has {what}.",
        code="quota_exceeded",
        hint=hint,
        status=429,
        headers={"Retry-After": str(retry_s)},
    )
