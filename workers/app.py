"""Celery app: one thin task. A message is a hint; the truth is in the store.

Early acknowledgement, no result backend, prefetch 1, JSON of keys only, continuations before new
children. The task blocks until its nodes have slots, so that a busy worker takes no more messages.
"""

from __future__ import annotations

from typing import Any

import structlog
from celery import Celery
from celery.signals import celeryd_after_setup, worker_shutdown, worker_shutting_down

from banyan.adapters.celery_app import celery_app
from banyan.adapters.celery_queue import LOOK
from workers.process import WorkerProcess
from workers.settings import WorkerSettings

log = structlog.get_logger(__name__)

EXIT_NOT_STARTED = 4

_CONSUMER_REPLY_S = 30
"""Longer than Celery's own blocking read of the queues."""


def make_app(settings: WorkerSettings, process: WorkerProcess) -> Celery:
    """A Celery app whose task hands hints to `process`, which starts and stops with its worker."""
    app = celery_app(
        settings.broker,
        {
            **settings.broker_options,
            "queue_order_strategy": "priority",
            "socket_timeout": _CONSUMER_REPLY_S,
        },
    )
    app.conf.update(
        broker_connection_retry=True,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        task_acks_late=False,
        worker_enable_remote_control=False,
        worker_concurrency=settings.threads,
        worker_hijack_root_logger=False,
        worker_pool="threads",
        worker_prefetch_multiplier=1,
        worker_send_task_events=False,
    )

    @app.task(name=LOOK)  # type: ignore[untyped-decorator]  # celery publishes no types
    def look(tree_id: str, paths: list[str]) -> None:
        process.look(tree_id, paths)

    def start(**_: Any) -> None:
        try:
            process.start()
        except Exception as error:
            # Celery would log this and go on without a runner.
            log.exception("worker not started")
            raise SystemExit(EXIT_NOT_STARTED) from error

    def begin_stop(**_: Any) -> None:
        process.begin_stop()

    def stop(**_: Any) -> None:
        process.stop()

    celeryd_after_setup.connect(start, weak=False)
    worker_shutting_down.connect(begin_stop, weak=False)
    worker_shutdown.connect(stop, weak=False)
    return app
