"""Data: the files of a set. They are no part of Banyan; the user names the folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from banyan.local.errors import Missing

PART = "dev"
"""The part of each set that may be looked at."""

HOW = "Give the folder that holds the evaluation sets with --data."


class Row(BaseModel):
    """One line of a file; fields that no scorer needs are passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore")


R = TypeVar("R", bound=Row)


def rows(path: Path, model: type[R]) -> Iterator[R]:
    """Every line of a JSONL file. Raises Missing where there is no such file, or another one."""
    if not path.is_file():
        raise Missing(f"{path} is not there", hint=HOW)
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            try:
                yield model.model_validate_json(line)
            except ValidationError as error:
                problem = error.errors()[0]
                where = ".".join(str(part) for part in problem["loc"])
                raise Missing(
                    f"{path}, line {number}: {where or 'the line'}: {problem['msg']}", hint=HOW
                ) from error
