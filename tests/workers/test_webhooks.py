"""Webhooks of real workers, on real Valkey and Celery, one of them killed between two attempts."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
from standardwebhooks import Webhook as Verifier

from bench.stack import Stack, wait_until

TOLD_S = 180.0
"""Longer than a notice is leased: the worker may die before it has said that it was refused."""
Got = list[tuple[dict[str, str], bytes]]


@contextmanager
def receiving() -> Iterator[tuple[str, Got]]:
    """A receiver that fails at first; its address, and what it got."""
    got: Got = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(500 if len(got) == 1 else 204)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/hook", got
        finally:
            server.shutdown()
            thread.join()


def test_a_receiver_is_told_although_the_worker_that_tried_is_killed() -> None:
    stack = Stack(
        latency_s=0.01,
        num_workers=1,
        slots=4,
        settings={"BANYAN_WEBHOOK_NETWORKS": "127.0.0.0/8"},
    )
    with stack, receiving() as (url, got), httpx.Client(timeout=130.0, trust_env=False) as client:
        tree_id = stack.submit(client, "fan-out 1", webhook={"url": url})
        wait_until(lambda: len(got) == 1, TOLD_S)
        stack.kill(stack.workers[0])
        stack.start_worker()
        wait_until(lambda: len(got) == 2, TOLD_S)
        secret = client.get(f"{stack.url}/webhooks/secret").json()["secret"]

    assert len({headers["webhook-id"] for headers, _ in got}) == 1
    for headers, body in got:
        told = Verifier(secret).verify(body, headers)
        assert told["data"]["id"] == tree_id
        assert told["type"] == "solve.completed"
