"""Looping: a look of a program's own loop may fail; it is counted, and the loop goes on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from structlog.typing import FilteringBoundLogger

from banyan import signals
from banyan.errors import BanyanError
from banyan.ports import Metrics


@contextmanager
def survived(log: FilteringBoundLogger, event: str, loop: str, metrics: Metrics) -> Iterator[None]:
    """What fails inside is logged as `event` and counted for `loop`: the next look may succeed."""
    try:
        yield
    except BanyanError as error:
        log.warning(event, code=error.code)
        metrics.count(signals.LOOP_FAILURES, loop)
    except Exception:
        log.exception(event)
        metrics.count(signals.LOOP_FAILURES, loop)
