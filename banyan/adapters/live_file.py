"""Live file: looks at the files of live settings now and then, and has what changed taken over.

A mounted ConfigMap is such a file. What is wrong in it changes nothing, is said in the log once and
counted at every look until it is mended; a file that is gone means the settings of the start.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

import structlog

from banyan import signals
from banyan.errors import InvalidInput
from banyan.live_settings import LiveSettings, parse
from banyan.ports import Metrics
from banyan.settings import Settings

EVERY_S = 2.0

log = structlog.get_logger("banyan.settings")


class LiveFile:
    """Runs from `start` to `close`, where there is a file to look at.

    `apply` takes settings over; it raises InvalidInput for those that it cannot, and then changes
    nothing. `beside` are files that it reads too. `every_s`: between two looks.
    """

    def __init__(
        self,
        settings: Settings,
        apply: Callable[[LiveSettings], None],
        metrics: Metrics,
        *,
        beside: Sequence[Path] = (),
        every_s: float = EVERY_S,
    ) -> None:
        self._path = settings.live_settings
        self._fixed = frozenset(type(settings).model_fields)
        self._apply = apply
        self._metrics = metrics
        self._watched = [path for path in (self._path, *beside) if path is not None]
        self._every_s = every_s
        self._seen: list[str] | None = None
        self._why = ""  # it was refused
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        if self._watched:
            self._task = asyncio.create_task(self._run(), name="live settings")

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def look(self) -> None:
        """Take over what has changed since the last look. Raises InvalidInput."""
        seen, self._seen = self._seen, None  # what cannot be read now is taken over anew later
        texts = [_text(path) for path in self._watched]
        self._seen = texts
        if texts == seen:
            return
        live = LiveSettings()
        if self._path is not None:
            live = parse(texts[0], fixed=self._fixed)
        self._apply(live)
        self._why = ""
        log.info("settings.changed", **live.model_dump(exclude_none=True))

    async def _run(self) -> None:
        while True:
            try:
                self.look()
            except Exception as error:  # noqa: BLE001  # and it may be mended
                self._refuse(error)
            if self._why:
                self._metrics.count(signals.LOOP_FAILURES, "settings")
            await asyncio.sleep(self._every_s)

    def _refuse(self, error: Exception) -> None:
        why = str(error) or type(error).__name__
        if why == self._why:
            return
        self._why = why
        if isinstance(error, InvalidInput):
            log.error("settings.refused", why=why, hint=error.hint)
        else:
            log.error("settings.refused", exc_info=error)


def check(settings: Settings) -> None:
    """What a program would refuse while it runs is told at its start. Raises InvalidInput."""
    if settings.live_settings is not None:
        parse(_text(settings.live_settings), fixed=type(settings).model_fields.keys())


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{path}: not UTF-8", hint="Write the file in UTF-8.") from error
