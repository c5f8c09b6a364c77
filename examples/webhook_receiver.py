"""Receive webhooks: verify each one, take it once, and answer at once.

    python examples/webhook_receiver.py SECRET_FILE PORT

The file holds what `GET /webhooks/secret` says (`whsec_...`). Put TLS in front of it: the service
tells `https://` addresses alone, unless its operator allows the network (see docs/webhooks.md).
"""

from __future__ import annotations

import sys
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from standardwebhooks import Webhook, WebhookVerificationError

MAX_BYTES = 64 * 1024


class Receiver(BaseHTTPRequestHandler):
    """One message. `seen` would be a table of a database where messages must not be lost."""

    webhook: Webhook
    seen: set[str]

    def do_POST(self) -> None:  # the name that http.server calls
        length = int(self.headers.get("Content-Length", 0))
        if length > MAX_BYTES:
            self._answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            return
        body = self.rfile.read(length)
        try:
            # Checks the signature, and that the message is not older than five minutes.
            message = self.webhook.verify(body, {k.lower(): v for k, v in self.headers.items()})
        except WebhookVerificationError:
            self._answer(HTTPStatus.UNAUTHORIZED)
            return
        self._answer(HTTPStatus.NO_CONTENT)
        name = self.headers["webhook-id"]
        if name not in self.seen:  # a message may come twice; its id stays the same
            self.seen.add(name)
            print(message["type"], message["data"]["id"], flush=True)

    def log_message(self, *_: object) -> None:
        """Say nothing of requests."""

    def _answer(self, status: HTTPStatus) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()


def main(secret_file: str, port: str) -> None:
    """Listen on loopback until Ctrl-C."""
    Receiver.webhook = Webhook(Path(secret_file).read_text(encoding="utf-8").strip())
    Receiver.seen = set()
    with ThreadingHTTPServer(("127.0.0.1", int(port)), Receiver) as server:
        print(f"listening on http://127.0.0.1:{server.server_port}/", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
