"""Fixtures: effects of a test, and a stack that two tenants use, started when it is needed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.hostile.effects import effects
from tests.hostile.two_tenants import Two, two_tenants

__all__ = ["effects"]


@dataclass
class Hook:
    """A receiver of webhooks: paths and bodies, in the order of their coming."""

    url: str
    got: list[tuple[str, str]] = field(default_factory=list)


@pytest.fixture(scope="session")
def hook() -> Iterator[Hook]:
    found = Hook("")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # the library's name
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            found.got.append((self.path, body))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        found.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield found
        server.shutdown()
        thread.join()


@pytest.fixture(scope="session")
def two(tmp_path_factory: pytest.TempPathFactory, hook: Hook) -> Iterator[Two]:
    with two_tenants(tmp_path_factory.mktemp("two"), hook.url) as two:
        yield two
