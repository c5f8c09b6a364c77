"""Hint message: the bytes that a Celery worker takes for a call of a task with two arguments.

They are those of Celery's message protocol 2 in kombu's envelope for Redis. Celery's own sender
makes the same of a call in ten times the CPU: it looks up a route, a queue and a producer, and
describes the arguments, for each message anew.
"""

from __future__ import annotations

import base64
import os
import socket
from collections.abc import Mapping, Sequence
from functools import lru_cache
from uuid import uuid4

import msgspec

_EMBEDDED = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}
_HEADERS: Mapping[str, object] = {
    "lang": "py",
    "shadow": None,
    "eta": None,
    "expires": None,
    "group": None,
    "group_index": None,
    "retries": 0,
    "timelimit": (None, None),
    "parent_id": None,
    "argsrepr": "",
    "kwargsrepr": "{}",
    "ignore_result": True,
    "replaced_task_nesting": 0,
    "stamped_headers": None,
    "stamps": {},
}
"""What is the same in all messages. Arguments are told in the body alone."""
_PERSISTENT = 2

_encode = msgspec.json.Encoder().encode


def hint_message(task: str, queue: str, tree_id: str, paths: Sequence[str]) -> bytes:
    """A message for `queue` that calls `task(tree_id, paths)`, to be pushed onto its list."""
    call_id = str(uuid4())
    body = _encode(((tree_id, paths), {}, _EMBEDDED))
    return _encode(
        {
            "body": base64.b64encode(body).decode(),
            "content-encoding": "utf-8",
            "content-type": "application/json",
            "headers": {
                **_HEADERS,
                "task": task,
                "id": call_id,
                "root_id": call_id,
                "origin": f"gen{os.getpid()}@{_host()}",
            },
            "properties": {
                "correlation_id": call_id,
                "reply_to": "",
                "delivery_mode": _PERSISTENT,
                "delivery_info": {"exchange": "", "routing_key": queue},
                "priority": 0,
                "body_encoding": "base64",
                "delivery_tag": str(uuid4()),
            },
        }
    )


@lru_cache(maxsize=1)
def _host() -> str:
    return socket.gethostname()
