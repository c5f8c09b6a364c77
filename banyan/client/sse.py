"""Server-sent events as the SDK reads them (HTML standard, section 9.2.6)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from pydantic import ValidationError

from banyan.client.errors import ClientError
from banyan.client.results import SolveResult, StreamEvent

_LINE_END = re.compile(rb"\r\n|\n|\r")


class Parser:
    """Feed it bytes as they come; it gives the events that they complete.

    Lines end with LF, CRLF or CR and with nothing else: JSON may hold U+2028 and its like, at
    which `str.splitlines` would cut. Comments are heartbeats, and passed over.
    """

    def __init__(self) -> None:
        self._rest: list[bytes] = []
        self._held_back = b""
        self._type = ""
        self._data: list[str] = []

    def feed(self, chunk: bytes) -> Iterator[StreamEvent]:
        """Raises ClientError for an event that is not Banyan's."""
        buffer = self._held_back + chunk
        self._held_back = b"\r" if buffer.endswith(b"\r") else b""  # LF may follow
        first, *more = _LINE_END.split(buffer.removesuffix(self._held_back))
        # What came before is looked through no second time: a long line comes in many chunks.
        self._rest.append(first)
        if not more:
            return
        lines = [b"".join(self._rest), *more[:-1]]
        self._rest = [more[-1]]
        for line in lines:
            event = self._line(line.decode(errors="replace"))
            if event is not None:
                yield event

    def _line(self, line: str) -> StreamEvent | None:
        if line:
            name, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if name == "event":
                self._type = value
            elif name == "data":
                self._data.append(value)
            return None
        kind, data = self._type, "\n".join(self._data)
        self._type, self._data = "", []
        return _event(kind, data) if data else None


def _event(kind: str, data: str) -> StreamEvent:
    try:
        if kind == "result":
            result = SolveResult.model_validate_json(data, extra="ignore")
            return StreamEvent(type=kind, result=result)
        return StreamEvent.model_validate(json.loads(data), extra="ignore")
    except (ValueError, ValidationError, RecursionError) as error:
        raise ClientError("the event stream holds what Banyan does not send") from error
