"""Schemas: what constrains generation, one JSON Schema for each kind of action, and its check.

Bounds are chosen so that a valid object fits into the turn's tokens. Citations are a closed choice
of the numbers that stand in the prompt.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, get_args

from pydantic import JsonValue

from banyan.action import MOST_LABELS, Kind, SplitBy
from banyan.aggregates import MERGE, RULES
from banyan.counts import NO_LABEL, record_numbers
from banyan.errors import InvalidAction, SchemaMismatch
from banyan.references import moved
from banyan.selection import Named

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator

# jsonschema takes a tenth of a worker's start: it is imported where a schema was asked for.

Schema = dict[str, Any]

MAX_CITATIONS = 4
MAX_OVERLAP_TOKENS = 4_096
"""The most that can be asked for; what a window has room for may be less."""
_CHARS_PER_TOKEN = 3
_SHORTEST_ANSWER_CHARS = 24
"""Where a sentence is asked for: small models were seen to close the string after a word."""
_GOAL_CHARS = 200
_NOTE_CHARS = 400
_QUERY_CHARS = 120


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a turn's schema depends on, beside the kind."""

    answer_tokens: int
    num_passages: int
    num_documents: int
    max_parts: int
    max_children: int
    explicit_children: bool
    brief_tokens: int = 64
    cites: bool = True
    briefly: bool = False
    """The answer is a few words, or one."""
    structured_children: bool = False
    expects: Schema | None = None
    was_invalid: bool = False
    """An answer was written that does not follow `expects`: see `open_lists`."""
    labels: tuple[str, ...] = ()
    """Every passage is a record to be labelled with one of these, or with `counts.NO_LABEL`."""
    named: tuple[Named, ...] = ()
    """By what a split may select records, and count them."""
    tools: tuple[str, ...] = ()
    policies: tuple[str, ...] = ()
    """What children may run on, where the agent is to choose."""


def schema_for(kind: Kind, bounds: Bounds) -> Schema:
    """The schema of one kind's object, without the kind itself."""
    return _with_definitions(_any_of(_variants(kind, bounds)), bounds)


def open_schema(kinds: Sequence[Kind], bounds: Bounds) -> Schema:
    """One schema for several kinds: each object starts with its own `kind`."""
    options = []
    for kind in kinds:
        for schema in _variants(kind, bounds):
            properties = {"kind": {"const": kind}, **schema["properties"]}
            required = ["kind", *schema["required"]]
            options.append({**schema, "properties": properties, "required": required})
    return _with_definitions(_any_of(options), bounds)


def check_expects(expects: Mapping[str, Any] | None, *, merges: bool = False) -> None:
    """Raise InvalidAction unless an agent's `expects` is null or one of the schemas in EXPECTS.

    `merges`: it may state rules, since the results are those of the parts of a split.
    """
    if expects is None:
        return
    if not _validator(merges=merges).is_valid(expects):
        raise InvalidAction("expects: only flat objects of plain values can be asked for")


def check_answer(answer: JsonValue, expects: Mapping[str, Any] | None) -> None:
    """Raise InvalidAction unless `answer` is what was expected; text where nothing was said.

    Where it breaks a schema, the error is a SchemaMismatch.
    """
    if expects is None:
        if not isinstance(answer, str):
            raise InvalidAction("answer: text is expected")
        return
    from jsonschema.exceptions import ValidationError  # noqa: PLC0415

    from banyan.bounded_schema import CannotCheck, validate  # noqa: PLC0415

    try:
        validate(answer, expects)
    except CannotCheck as error:
        raise InvalidAction(f"answer: {error}") from error
    except ValidationError as error:
        where = "/".join(["answer", *(str(part) for part in error.absolute_path)])
        raise SchemaMismatch(
            f"{where} breaks the rule {error.validator!r} of its schema"
        ) from error


def ends_at_its_bound(
    answer: JsonValue, expects: Mapping[str, Any], answer_tokens: int, *, was_invalid: bool
) -> bool:
    """Whether a list of `answer` may have ended for want of tokens alone: see `open_lists`."""
    from banyan.enforced import enforced  # noqa: PLC0415
    from banyan.open_lists import is_full  # noqa: PLC0415

    return is_full(answer, enforced(expects), answer_tokens, usual=was_invalid)


_LABEL: Schema = {"type": "string", "maxLength": 60}
_LABELS: Schema = {
    # Not one alone: of that and "none", a model of 1.5B parameters gave nearly all records the one.
    "labels": {
        "anyOf": [
            {"type": "array", "maxItems": 0},
            {"type": "array", "items": _LABEL, "minItems": 2, "maxItems": MOST_LABELS},
        ]
    },
    "only": {"anyOf": [{"type": "null"}, {"type": "string", "maxLength": 200}]},
}
_OVERLAP: Schema = {"overlap": {"type": "integer", "minimum": 0, "maximum": MAX_OVERLAP_TOKENS}}
_RANGE: Schema = {
    "start": {"type": "integer", "minimum": 0},
    "end": {"type": "integer", "minimum": 0},
}

_VALUE: Schema = {
    "type": "object",
    "properties": {"type": {"enum": ["string", "number", "integer", "boolean", "array"]}},
    "required": ["type"],
    "additionalProperties": False,
}

_MOST_PROPERTIES = 8
"""A model of 135M parameters was seen to name more until its tokens ended."""
_NAME: Schema = {"type": "string", "maxLength": 40}
_PROPERTIES: Schema = {
    "type": "object",
    "additionalProperties": _VALUE,
    "maxProperties": _MOST_PROPERTIES,
}

EXPECTS: Schema = {
    "type": "object",
    "properties": {
        "type": {"const": "object"},
        "properties": _PROPERTIES,
        "required": {
            "type": "array",
            "items": _NAME,
            "maxItems": _MOST_PROPERTIES,
        },
    },
    "required": ["type", "properties", "required"],
    "additionalProperties": False,
}
"""The JSON Schemas that an agent may ask its children for: flat objects."""

_MERGED_VALUE: Schema = {
    **_VALUE,
    "properties": {**_VALUE["properties"], MERGE: {"enum": [*RULES]}},
}
_MERGED: Schema = {
    **EXPECTS,
    "properties": {
        **EXPECTS["properties"],
        "properties": {**_PROPERTIES, "additionalProperties": _MERGED_VALUE},
    },
}
"""The same for the parts of a split, with rules by which their results merge."""


@lru_cache
def _validator(*, merges: bool) -> Draft202012Validator:
    from jsonschema import Draft202012Validator  # noqa: PLC0415

    return Draft202012Validator(_MERGED if merges else EXPECTS)


_EXPECTS_OR_TEXT: Schema = {"anyOf": [{"type": "null"}, EXPECTS]}
_MERGED_OR_TEXT: Schema = {"anyOf": [{"type": "null"}, _MERGED]}
"""Required, so that a small model copies the example's null instead of rambling into a schema."""


def _variants(kind: Kind, bounds: Bounds) -> list[Schema]:
    match kind:
        case "answer":
            return [_answer(bounds)]
        case "delegate":
            return _delegate(bounds)
        case "read":
            return [_object({"document": _number(bounds.num_documents)}, optional=_RANGE)]
        case "search":
            document = {"document": _number(bounds.num_documents), "regex": {"type": "boolean"}}
            return [_object({"query": _text(_QUERY_CHARS)}, optional=document)]
        case "note":
            return [_object({"text": _text(_NOTE_CHARS)})]
        case "use":
            return [_object({"tool": {"enum": [*bounds.tools]}, "arguments": {"type": "object"}})]


def _any_of(options: list[Schema]) -> Schema:
    return options[0] if len(options) == 1 else {"anyOf": options}


def _answer(bounds: Bounds) -> Schema:
    text = {
        "type": "string",
        "minLength": 1 if bounds.briefly else _SHORTEST_ANSWER_CHARS,
        "maxLength": bounds.answer_tokens * _CHARS_PER_TOKEN,
    }
    if bounds.labels:
        return _object({"answer": _labelled(bounds)})
    properties: Schema = {
        "answer": _expected(bounds.expects, bounds)[0] if bounds.expects else text
    }
    if bounds.num_passages and bounds.cites:
        properties["citations"] = {
            "type": "array",
            "items": _number(bounds.num_passages),
            "minItems": 1,
            "maxItems": min(MAX_CITATIONS, bounds.num_passages),
        }
    return _object(properties)


def _with_definitions(schema: Schema, bounds: Bounds) -> Schema:
    """`schema`, with what the expected answer's references point to."""
    definitions = _expected(bounds.expects, bounds)[1] if bounds.expects else {}
    return {**schema, "$defs": definitions} if definitions else schema


def _expected(expects: Schema, bounds: Bounds) -> tuple[Schema, Schema]:
    """What constrains an answer, and what its references point to."""
    from banyan.enforced import enforced  # noqa: PLC0415
    from banyan.open_lists import closed  # noqa: PLC0415

    return moved(closed(enforced(expects), bounds.answer_tokens, usual=bounds.was_invalid))


def _labelled(bounds: Bounds) -> Schema:
    label = {"enum": [*bounds.labels, NO_LABEL]}
    return _object(dict.fromkeys(record_numbers(bounds.num_passages), label))


def _delegate(bounds: Bounds) -> list[Schema]:
    """The split form where there is something to split; listed children where that is allowed."""
    brief = {"type": "string", "maxLength": bounds.brief_tokens * _CHARS_PER_TOKEN}
    expects = _EXPECTS_OR_TEXT if bounds.structured_children else {"type": "null"}
    policy: Schema = {"policy": {"enum": [*bounds.policies]}} if bounds.policies else {}
    forms = []
    if bounds.num_documents:
        merged = _MERGED_OR_TEXT if bounds.structured_children else expects
        split = _object(
            {"goal": _text(_GOAL_CHARS), **policy, **_by_fields(bounds), "expects": merged},
            optional=({**_LABELS, **_OVERLAP} if bounds.structured_children else {})
            | {
                "parts": {"type": "integer", "minimum": 2, "maximum": bounds.max_parts},
                "by": {"enum": [*get_args(SplitBy)]},
            },
        )
        forms.append(_object({"brief": brief, "split": split}))
    if bounds.explicit_children:
        one_input = _object({"document": _number(bounds.num_documents)}, optional=_RANGE)
        child = _object(
            {"goal": _text(_GOAL_CHARS), **policy, "expects": expects},
            optional={"inputs": {"type": "array", "items": one_input}},
        )
        children = {"type": "array", "items": child, "minItems": 1, "maxItems": bounds.max_children}
        forms.append(_object({"brief": brief, "children": children}))
    return forms


def _by_fields(bounds: Bounds) -> Schema:
    """Which records count, by the values of their fields, and what is counted of them.

    Required, so that both are decided.
    """
    if not bounds.structured_children:
        return {}
    counted = [one.field for one in bounds.named if one.counts]
    values = {
        one.field: {
            "type": "array",
            "items": {"enum": [*one.values]},
            "maxItems": len(one.values),
        }
        for one in bounds.named
        if one.values
    }
    return ({"count_by": {"enum": [*counted, None]}} if counted else {}) | (
        {"where": _object({}, optional=values)} if values else {}
    )


def _object(properties: Schema, optional: Schema | None = None) -> Schema:
    return {
        "type": "object",
        "properties": {**properties, **(optional or {})},
        "required": list(properties),
        "additionalProperties": False,
    }


def _text(max_chars: int) -> Schema:
    return {"type": "string", "minLength": 1, "maxLength": max_chars}


def _number(highest: int) -> Schema:
    return {"type": "integer", "minimum": 1, "maximum": max(1, highest)}
