"""Stop signal: SIGINT, SIGTERM and SIGHUP as a flag that loops look at between two steps."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Self


class StopSignal:
    """Turns SIGINT, SIGTERM and SIGHUP into a flag while its block runs.

    The second signal raises KeyboardInterrupt, for those who do not want to wait.
    """

    def __init__(self) -> None:
        self.event = threading.Event()
        self._before: dict[signal.Signals, signal.Handlers | int | Callable[..., object] | None]
        self._before = {}

    def __enter__(self) -> Self:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            self._before[number] = signal.signal(number, self._handle)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        if self.event.is_set():
            raise KeyboardInterrupt
        self.event.set()
