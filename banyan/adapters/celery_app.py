"""The Celery application of the workers. Who only sends hints needs none of Celery itself."""

from __future__ import annotations

from collections.abc import Mapping

from celery import Celery
from kombu.entity import Exchange, Queue

from banyan.adapters.celery_queue import CHILDREN, CONTINUATIONS
from banyan.adapters.hint_transport import CONNECT_S, OPTIONS, transport_for


def celery_app(broker_url: str, transport_options: Mapping[str, object] | None = None) -> Celery:
    """JSON only, no results, no retries.

    `transport_options` are kombu's, for example `{"master_name": "mymaster"}` with Sentinel.
    """
    app = Celery("banyan", broker=broker_url, set_as_current=False)
    app.conf.update(
        accept_content=["json"],
        task_serializer="json",
        task_ignore_result=True,
        task_store_errors_even_if_ignored=False,
        result_backend=None,
        task_publish_retry=False,
        task_default_queue=CHILDREN,
        task_queues=[_queue(CONTINUATIONS), _queue(CHILDREN)],
        broker_connection_timeout=CONNECT_S,
        broker_connection_retry=False,
        broker_transport=transport_for(broker_url),
        broker_transport_options={**OPTIONS, **(transport_options or {})},
    )
    return app


def _queue(name: str) -> Queue:
    """A queue with an exchange of its own: Celery's default one would bind both to one key."""
    return Queue(name, Exchange(name), name)  # type: ignore[no-untyped-call]  # not typed upstream
