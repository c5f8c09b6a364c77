"""The service on Redis or Valkey, Celery's broker and the document folder."""

from __future__ import annotations

import gc
import signal
import socket
import sys
from types import FrameType
from typing import TYPE_CHECKING

import structlog
import uvicorn
from fastapi import FastAPI
from pydantic import ValidationError

from banyan.adapters.celery_queue import CeleryQueue
from banyan.adapters.destinations import Destinations
from banyan.adapters.library import BlobLibrary
from banyan.adapters.live_file import check
from banyan.adapters.observing import Observing
from banyan.adapters.stores import (
    make_access,
    make_blobs,
    make_ledger,
    make_policies,
    make_store,
)
from banyan.errors import InvalidInput
from banyan.settings import what_is_wrong
from banyan.telemetry import configure_logs
from service.app import create_app
from service.dependencies import Ports
from service.quota.rules import make_rules
from service.settings import MIB, ServiceSettings

if TYPE_CHECKING:
    from banyan.adapters.policy_file import Listed

log = structlog.get_logger("banyan.service")

EXIT_USAGE = 2
EXIT_NOT_STARTED = 4


def main() -> int:
    """Serve until a signal comes. Returns the exit code; messages go to stderr."""
    try:
        settings = ServiceSettings()
    except ValidationError as error:
        sys.stderr.write(what_is_wrong(error))
        return EXIT_USAGE
    configure_logs(settings.log_level)
    try:
        policies = _listed(settings) if settings.policies else None
        Destinations(settings.webhook_networks)
        make_rules(settings)
        check(settings)
        observing = Observing(settings, "service")
    except InvalidInput as error:
        sys.stderr.write(f"{error}\n{error.hint}\n")
        return EXIT_USAGE
    try:
        listener = _listen(settings.host, settings.port)
    except OSError as error:
        sys.stderr.write(
            f"cannot listen on {settings.host}:{settings.port}: {error.strerror}; "
            "set BANYAN_HOST and BANYAN_PORT to an address that is free\n"
        )
        return EXIT_NOT_STARTED
    app = _app(settings, policies, observing)
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http="httptools",
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=settings.shutdown_s,
        timeout_keep_alive=settings.keep_alive_s,
        server_header=False,
    )
    with listener:
        host, port = listener.getsockname()[:2]
        log.info("service.listening", url=f"http://{f'[{host}]' if ':' in host else host}:{port}")
        if not settings.authenticates:
            log.warning(
                "service.not_authenticated",
                why="everyone who reaches this address may do everything; see BANYAN_AUTH",
            )
        server = Server(config, app.state.ports)
        # What is there now stays until the end: collections need not look through it each time.
        gc.collect()
        gc.freeze()
        server.run(sockets=[listener])
    return 0 if server.started else EXIT_NOT_STARTED


def _listed(settings: ServiceSettings) -> Listed:
    from banyan.adapters.policy_file import listed  # noqa: PLC0415 - most services list none

    return listed(settings)


_CACHE_BYTES = 32 * MIB
"""Of text that was read last: the service reads quotes, and what is downloaded."""


def _app(settings: ServiceSettings, policies: Listed | None, observing: Observing) -> FastAPI:
    library = BlobLibrary(
        make_blobs(settings),
        max_bytes=settings.max_document_bytes,
        cache_bytes=_CACHE_BYTES,
    )
    queue = CeleryQueue(settings.broker, transport_options=settings.broker_options)
    return create_app(
        make_store(settings),
        library,
        queue,
        settings,
        policies,
        versions=make_policies(settings),
        access=make_access(settings),
        ledger=make_ledger(settings),
        observing=observing,
    )


def _listen(host: str, port: int) -> socket.socket:
    """A socket of our own, so that a port that is taken is our message and not a traceback."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen()
    except OSError:
        listener.close()
        raise
    return listener


class Server(uvicorn.Server):
    """uvicorn, that tells waiting requests and open streams to end when a signal comes."""

    def __init__(self, config: uvicorn.Config, ports: Ports) -> None:
        super().__init__(config)
        self._ports = ports

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Streams close here; their clients come back with Last-Event-ID.

        uvicorn's own method would raise the signal again when all is done, and a service that
        ended well would look killed.
        """
        del frame
        self._ports.stopping.set()
        if self.should_exit and sig == signal.SIGINT:
            self.force_exit = True
        self.should_exit = True
