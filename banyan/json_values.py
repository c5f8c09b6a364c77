"""JSON values from outside: what can be stored, and in how many bytes.

JSON as Python reads it holds more than can be kept: lone surrogates, NaN, integers without bounds,
nesting without end.
"""

from __future__ import annotations

import json
import math

from banyan.errors import InvalidInput

MAX_NESTING = 64

_MIN_INT, _MAX_INT = -(2**63), 2**64 - 1


def check_storable(value: object, field: str, *, depth: int = 0) -> None:
    """Raise InvalidInput where `value`, parsed JSON, cannot be packed and read back."""
    if depth > MAX_NESTING:
        raise InvalidInput(f"{field}: nested deeper than {MAX_NESTING} levels")
    if isinstance(value, str):
        check_text(value, field)
    elif isinstance(value, float) and not math.isfinite(value):
        raise InvalidInput(f"{field}: a number is not finite")
    elif isinstance(value, int) and not _MIN_INT <= value <= _MAX_INT:
        raise InvalidInput(f"{field}: an integer needs more than 64 bits")
    elif isinstance(value, dict):
        for key, item in value.items():
            check_text(key, field)
            check_storable(item, field, depth=depth + 1)
    elif isinstance(value, list):
        for item in value:
            check_storable(item, field, depth=depth + 1)


def check_text(value: str, field: str) -> None:
    """Raise InvalidInput for text that is no UTF-8, or holds NUL, which some engines end at."""
    if "\0" in value:
        raise InvalidInput(f"{field}: holds a NUL character")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise InvalidInput(f"{field}: holds half of a surrogate pair") from error


def canonical(value: object) -> bytes:
    """The same bytes for equal values: sorted keys, no spaces, UTF-8."""
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode()
