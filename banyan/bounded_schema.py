"""Checking values against callers' JSON Schemas, in bounded steps.

A few lines of schema can ask for more steps than there is time: references that fan out, patterns
that are slow or large. Whoever checks on behalf of others must be able to stop.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import re2
from jsonschema import Draft202012Validator, validators
from jsonschema.exceptions import ValidationError
from referencing import Registry
from referencing.exceptions import Unresolvable

from banyan.errors import InvalidInput

MAX_STEPS = 50_000
"""Keywords that are applied to a value; about twenty microseconds each."""
MAX_DEPTH = 100
"""Keywords within keywords; five frames of the interpreter each. Python's own bound comes too late:
where it is met inside of compiled code, what is raised is no Exception."""
MAX_PATTERN_BYTES = 1 << 20
"""Memory of one compiled pattern."""

_COMPARISONS_A_STEP = 40


@dataclass(slots=True)
class _Left:
    """What one check may still take."""

    steps: int
    depth: int = MAX_DEPTH


_left: ContextVar[_Left] = ContextVar("left")

_Keyword = Callable[[Any, Any, Any, Any], Iterator[ValidationError] | None]


class CannotCheck(InvalidInput):
    """The schema cannot be applied: it refers to what is not in it, or to itself without end."""


class TooManySteps(CannotCheck):
    """The schema asks for more than is done for anyone."""


@lru_cache(maxsize=256)
def compile_pattern(pattern: str) -> Any:
    """An RE2 expression. Raises `re2.error` for what is none, or is too large."""
    options = re2.Options()
    options.log_errors = False
    options.max_mem = MAX_PATTERN_BYTES
    return re2.compile(pattern, options)


def validate(value: object, schema: Mapping[str, Any], *, max_steps: int = MAX_STEPS) -> None:
    """Raises ValidationError (jsonschema's), or CannotCheck. Nothing is ever fetched."""
    token = _left.set(_Left(max_steps))
    try:
        _BOUNDED(dict(schema), format_checker=_FORMATS, registry=Registry()).validate(value)
    except (Unresolvable, re2.error) as error:
        raise CannotCheck("the schema refers to what is not in it, or has a bad pattern") from error
    finally:
        _left.reset(token)


def _bounded(name: str, keyword: _Keyword) -> _Keyword:
    def apply(validator: Any, expected: Any, value: Any, schema: Any) -> Iterator[ValidationError]:
        left = _left.get()
        left.steps -= 1 + _comparisons(name, expected, value) // _COMPARISONS_A_STEP
        if left.steps < 0:
            raise TooManySteps("checking a value against the schema takes too many steps")
        if left.depth == 0:
            raise TooManySteps("the schema refers to itself without end, or a value is too deep")
        left.depth -= 1
        try:
            yield from keyword(validator, expected, value, schema) or ()
        finally:
            left.depth += 1

    return apply


def _comparisons(name: str, expected: Any, value: Any) -> int:
    """Of values with one another, or names with patterns, beyond the keyword itself."""
    if name == "uniqueItems" and isinstance(value, list):
        return len(value) ** 2
    if name == "patternProperties" and isinstance(value, dict):
        return 2 * len(expected) * len(value)  # additional properties look at them again
    return len(expected) if name == "enum" else 0


# What matches a pattern was written by a model, so each is matched in linear time.


def _pattern(_: Any, pattern: Any, value: Any, __: Any) -> Iterator[ValidationError]:
    if isinstance(value, str) and compile_pattern(pattern).search(value) is None:
        yield ValidationError("does not match the pattern")


def _pattern_properties(
    validator: Any, patterns: Any, value: Any, _: Any
) -> Iterator[ValidationError]:
    if not isinstance(value, dict):
        return
    for pattern, schema in patterns.items():
        expression = compile_pattern(pattern)
        for name, item in value.items():
            if expression.search(name) is not None:
                yield from validator.descend(item, schema, path=name, schema_path=pattern)


def _additional_properties(
    validator: Any, allowed: Any, value: Any, schema: Any
) -> Iterator[ValidationError]:
    if not isinstance(value, dict):
        return
    named = schema.get("properties", {})
    patterns = [compile_pattern(pattern) for pattern in schema.get("patternProperties", {})]
    for name, item in value.items():
        if name in named or any(one.search(name) is not None for one in patterns):
            continue
        if allowed is False:
            yield ValidationError("has a property that is not allowed")
        else:
            yield from validator.descend(item, allowed, path=name)


_KEYWORDS: dict[str, _Keyword] = {
    **Draft202012Validator.VALIDATORS,
    "additionalProperties": _additional_properties,
    "pattern": _pattern,
    "patternProperties": _pattern_properties,
}
_BOUNDED = validators.extend(  # type: ignore[no-untyped-call]  # not typed upstream
    Draft202012Validator, {name: _bounded(name, one) for name, one in _KEYWORDS.items()}
)
_FORMATS = Draft202012Validator.FORMAT_CHECKER
"""Those formats that can be checked without further packages: dates, addresses, uuid, ..."""
