"""Telemetry: logs as one JSON object a line on stderr, those of libraries too.

Ids, never content. The message of an error may quote a goal or a document, so that of an error the
log has its type and the places where it passed, and nothing else.
"""

from __future__ import annotations

import logging
import sys
import traceback

import structlog
from structlog.types import EventDict, Processor, WrappedLogger

_FRAMES_SHOWN = 8


def configure_logs(level: str) -> None:
    """Send structlog and the standard library's logging through one JSON renderer."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        # What is not shown costs nothing: it is left out before anything is made of it.
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _place_of_error,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    set_level(level)
    for chatty in ("httpx", "httpcore", "asyncio", "celery", "kombu"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def set_level(level: str) -> None:
    """From now on."""
    logging.getLogger().setLevel(level.upper())


def failure_of(error: BaseException) -> dict[str, object]:
    """An error's type, and the last places that it passed, without its message."""
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES_SHOWN:]
    return {
        "error": type(error).__name__,
        "at": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
    }


def _place_of_error(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    info = event.pop("exc_info", None)
    if info is True:
        info = sys.exc_info()
    error = info[1] if isinstance(info, tuple) else info
    if isinstance(error, BaseException):
        event.update(failure_of(error))
    return event
