"""Records: one line of JSON for each answer of each system, written at once, found again later."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from banyan.evaluation.question import Answered, Question


class Record(BaseModel):
    """One answer, its score, and what it was made with.

    `fingerprint` names the question and the settings; the same one need not be asked again. `code`
    is the state of the source, which is not part of it: a long evaluation survives a small change.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    set: str
    system: str
    item: str
    bucket: str
    fingerprint: str
    settings: dict[str, JsonValue]
    code: str = ""
    input_tokens: int
    score: float
    parts: dict[str, float]
    answered: Answered
    engine_peak_bytes: int | None = None
    """Most memory that the model server's processes have held until then; None: not ours to see."""
    at: float
    """Seconds since the epoch."""

    @property
    def stands(self) -> bool:
        """Whether it counts at a resumption: what failed is tried again."""
        return self.answered.status != "failed"


def fingerprint(settings: Mapping[str, JsonValue], question: Question) -> str:
    """A hash of the settings and of what the question asks for."""
    schema = dict(question.answer_schema) if question.answer_schema is not None else None
    asked = [question.id, question.goal, schema, question.answer_tokens]
    if question.continuation:
        asked.append(hashlib.sha256(question.continuation.encode()).hexdigest())
    text = json.dumps([dict(settings), asked], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


class Journal:
    """The file of one set. Use it as a context manager; a torn last line is passed over."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._last: dict[tuple[str, str], Record] = {}

    def __enter__(self) -> Self:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self.path.open("a+b")
        self._file.seek(0)
        content = self._file.read()
        for line in content.splitlines():
            try:
                record = Record.model_validate_json(line)
            except ValidationError:  # cut off, or of another version
                continue
            self._last[record.system, record.fingerprint] = record
        if content and not content.endswith(b"\n"):
            self._file.write(b"\n")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def find(self, system: str, mark: str) -> Record | None:
        """The latest record under this fingerprint."""
        return self._last.get((system, mark))

    def add(self, record: Record) -> None:
        """Append it, and return when it is on the disk."""
        self._last[record.system, record.fingerprint] = record
        self._file.write(record.model_dump_json().encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())
