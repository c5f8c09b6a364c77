"""Courier: tells receivers of ended solves, signed, until they say that they have it.

A notice leaves the outbox only when it is settled. A courier that dies in between has told nobody
of its attempt: the notice is due again, and the receiver knows it by its id.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Protocol

import structlog
from standardwebhooks import Webhook as Signer

from banyan import signals
from banyan.adapters.destinations import Destinations
from banyan.adapters.memory_metrics import NoMetrics
from banyan.errors import BanyanError, NotFound, RefusedAddress
from banyan.ports import AccessStore, Metrics, Notice, Outbox, Store
from banyan.state import unpack
from banyan.task import Task
from banyan.tree import TreeRecord
from banyan.webhooks import Webhook, event_of, message, message_id, pause_s

TIMEOUT_S = 15.0
"""Of one attempt."""
LEASE_S = 4 * TIMEOUT_S
AT_ONE_TIME = 32
GONE = 410
"""The receiver wants no more of it."""

log = structlog.get_logger(__name__)


class Post(Protocol):
    """How a message is sent; the status of the reply, None where there is none."""

    def __call__(
        self, url: str, addresses: tuple[str, ...], *, headers: Mapping[str, str], body: bytes
    ) -> Awaitable[int | None]: ...


async def _post(
    url: str, addresses: tuple[str, ...], *, headers: Mapping[str, str], body: bytes
) -> int | None:
    from banyan.adapters.pinned_post import post  # noqa: PLC0415 - httpcore is slow to import

    return await post(url, addresses, headers=headers, body=body, timeout_s=TIMEOUT_S)


class Courier:
    """`send` and `draw` (chance in [0, 1)) are for tests."""

    def __init__(
        self,
        outbox: Outbox,
        store: Store,
        access: AccessStore,
        destinations: Destinations,
        *,
        metrics: Metrics | None = None,
        send: Post = _post,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self._outbox = outbox
        self._store = store
        self._access = access
        self._destinations = destinations
        self._metrics = metrics or NoMetrics()
        self._send = send
        self._draw = draw
        self._under_way: set[asyncio.Task[None]] = set()

    async def step(self) -> int:
        """Begin what is due, as far as there is room; how many were begun."""
        free = AT_ONE_TIME - len(self._under_way)
        notices = await self._outbox.take(lease_s=LEASE_S, limit=free) if free > 0 else []
        for notice in notices:
            task = asyncio.create_task(self._handle(notice))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)
        return len(notices)

    async def settled(self) -> None:
        """Wait until nothing is under way."""
        while self._under_way:
            await asyncio.gather(*self._under_way)

    async def close(self) -> None:
        """Give up what is under way; it is due again when its lease is over."""
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)

    async def _handle(self, notice: Notice) -> None:
        try:
            await self._deliver(notice)
        except BanyanError as error:
            log.warning("webhook.put_off", tree_id=notice.tree_id, code=error.code)
        except Exception:
            log.exception("webhook.put_off", tree_id=notice.tree_id)

    async def _deliver(self, notice: Notice) -> None:
        try:
            record = await self._store.get_tree(notice.tree_id)
        except NotFound:
            log.warning("webhook.given_up", tree_id=notice.tree_id, why="the solve has expired")
            self._count("given_up")
            await self._outbox.done(notice)
            return
        task = unpack(record.task, Task)
        hook = task.webhook
        # A solve that was opened again meanwhile has another end, and a notice of that.
        is_this_end = record.generation == notice.generation and record.outcome is not None
        if hook is None or not is_this_end or not hook.wants(record.status):
            await self._outbox.done(notice)
            return
        status = await self._attempt(record, task, hook, notice)
        delivered = status is not None and 200 <= status < 300
        fields = {
            "tree_id": notice.tree_id,
            "tenant": record.tenant,
            "attempt": notice.num_attempts,
            "status": status,
        }
        if delivered or status == GONE:
            log.info("webhook.delivered" if delivered else "webhook.gone", **fields)
            self._count("delivered" if delivered else "gone")
            await self._outbox.done(notice)
            return
        delay_s = pause_s(notice.num_attempts, self._draw())
        if delay_s is None:
            log.warning("webhook.given_up", why="no attempt succeeded", **fields)
            self._count("given_up")
            await self._outbox.done(notice)
            return
        log.info("webhook.failed", again_in_s=round(delay_s), **fields)
        self._count("failed")
        await self._outbox.again(notice, delay_s)

    def _count(self, result: str) -> None:
        self._metrics.count(signals.WEBHOOK_ATTEMPTS, result)

    async def _attempt(
        self, record: TreeRecord, task: Task, hook: Webhook, notice: Notice
    ) -> int | None:
        """The status of the reply; None where nothing was sent, or nothing came back."""
        try:
            addresses = await self._destinations.check(hook.url)
        except RefusedAddress as error:
            log.warning("webhook.refused", tree_id=record.id, why=str(error))
            return None
        secrets = await self._access.signing(record.tenant)
        at_s = record.finished_at or record.created_at
        body = message(record.id, record.status, at=at_s, metadata=task.metadata)
        # Receivers refuse what is minutes off, and a worker's own clock may be.
        now = await self._store.now()
        identity, at = message_id(record.id, notice.generation), datetime.fromtimestamp(now, UTC)
        signatures = [Signer(secret).sign(identity, at, body) for secret in secrets.valid(now)]
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "Banyan",
            "webhook-id": identity,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": " ".join(signatures),
        }
        log.debug("webhook.sent", tree_id=record.id, event_type=event_of(record.status))
        return await self._send(hook.url, addresses, headers=headers, body=body.encode())
