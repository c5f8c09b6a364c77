"""Sampler: looks at something again and again, on a thread of its own."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Self

_JOIN_S = 60


class Sampler(ABC):
    """Looks every `every_s` seconds until the block ends."""

    def __init__(self, every_s: float) -> None:
        self.every_s = every_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=type(self).__name__, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join(_JOIN_S)

    @abstractmethod
    def looking(self) -> AbstractContextManager[Callable[[], None]]:
        """What looks once, with what it needs open."""

    def _run(self) -> None:
        with self.looking() as look:
            while not self._stop.wait(self.every_s):
                look()
