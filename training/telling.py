"""Telling: an error of a file as fields, for `--json`."""

from __future__ import annotations

from banyan.client.messages import error_fields
from banyan.errors import BanyanError
from training.errors import RecordError


def fields_of(error: BanyanError) -> dict[str, str | int]:
    """Code, message and hint, and where it is of one line, the file and the line."""
    fields: dict[str, str | int] = {**error_fields(error)}
    if isinstance(error, RecordError):
        fields |= {"file": error.file, "line": error.line}
    return fields
