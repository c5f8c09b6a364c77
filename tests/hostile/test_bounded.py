"""Work that is bounded by the size of what is sent: counted, or by inputs on which more never ends.

Where steps can be counted they are. Elsewhere the input is so large that a way which takes more
than linear time does not come to its end while anyone waits.
"""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from jsonschema.exceptions import ValidationError

from banyan.adapters import search
from banyan.bounded_schema import (
    MAX_DEPTH,
    CannotCheck,
    TooManySteps,
    compile_pattern,
    validate,
)
from banyan.client.errors import ClientError
from banyan.client.sse import Parser
from banyan.errors import InvalidAction, InvalidInput, InvalidSchema
from banyan.schemas import check_answer
from banyan.spans import Span
from banyan.words import asked
from service import answer_schema
from service.answer_schema import MAX_PATTERNS
from service.facade.conversation import ask_of, said
from service.facade.fences import fenced

MB = 1_000_000


def fan_out(depth: int) -> dict[str, Any]:
    """A schema whose every level applies the next one twice: 2 ** depth steps."""
    levels = {
        f"l{level}": {"allOf": [{"$ref": f"#/$defs/l{level + 1}"}] * 2} for level in range(depth)
    }
    definitions = {**levels, f"l{depth}": {}}
    return {"type": "object", "allOf": [{"$ref": "#/$defs/l0"}], "$defs": definitions}


class Text:
    """Text that counts what is read of it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.num_read = 0

    def read(self, span: Span) -> str:
        self.num_read += len(span)
        return self.text[span.start : span.end]


@pytest.mark.parametrize("schema", [fan_out(40), {"type": "object", "$ref": "#"}])
def test_a_schema_that_unfolds_without_end_is_refused_when_it_is_sent(
    schema: dict[str, Any],
) -> None:
    with pytest.raises(InvalidSchema, match=r"too many steps|without end"):
        answer_schema.check(schema)


def test_a_schema_that_unfolds_in_what_a_model_wrote_ends_as_an_invalid_action() -> None:
    """The least object does not show it; the answer does."""
    schema = {"type": "object", "properties": {"a": {"$ref": "#/$defs/l0"}}}
    schema["$defs"] = fan_out(40)["$defs"]
    answer_schema.check(schema)

    check_answer({}, schema)
    with pytest.raises(InvalidAction, match="too many steps"):
        check_answer({"a": 1}, schema)


@pytest.mark.parametrize("keyword", ["not", "if", "contains", "propertyNames", "allOf"])
def test_a_schema_without_end_ends_before_the_interpreter_does(keyword: str) -> None:
    """Whatever stack the check begins on."""
    inner: Any = {"$ref": "#/$defs/a"}
    schema = {
        "$ref": "#/$defs/a",
        "$defs": {"a": {keyword: [inner] if keyword == "allOf" else inner}},
    }
    deepest: Any = {"a": 1}
    for _ in range(MAX_DEPTH):
        deepest = [{"a": deepest}]

    def below(num_frames: int) -> None:
        if num_frames:
            below(num_frames - 1)
        else:
            validate(deepest, schema)

    for num_frames in range(250):
        with contextlib.suppress(CannotCheck, ValidationError):
            below(num_frames)


def test_schemas_that_people_write_take_few_steps() -> None:
    person = {
        "type": "object",
        "properties": {"name": {"type": "string"}, "next": {"$ref": "#/$defs/person"}},
        "required": ["name"],
    }
    schema = {"type": "object", "properties": {"first": {"$ref": "#/$defs/person"}}}
    answer_schema.check({**schema, "$defs": {"person": person}})
    value: dict[str, Any] = {"name": "Ann"}
    for _ in range(20):
        value = {"name": "Ann", "next": value}

    validate({"first": value}, {**schema, "$defs": {"person": person}}, max_steps=400)
    with pytest.raises(TooManySteps):
        validate({"first": value}, {**schema, "$defs": {"person": person}}, max_steps=20)


@pytest.mark.parametrize("schema", [{"$ref": "http://127.0.0.1:9/x"}, {"pattern": "("}])
def test_what_a_schema_does_not_hold_is_never_fetched(schema: dict[str, Any]) -> None:
    with pytest.raises(CannotCheck, match="not in it, or has a bad pattern"):
        validate("a", schema)


def test_comparing_all_items_with_one_another_counts_as_what_it_is() -> None:
    schema = {"type": "object", "properties": {"a": {"uniqueItems": True}}}
    check_answer({"a": [{"n": number} for number in range(500)]}, schema)
    with pytest.raises(InvalidAction, match="too many steps"):
        check_answer({"a": [{"n": number} for number in range(50_000)]}, schema)


def test_patterns_of_a_schema_are_few_and_small() -> None:
    many = {f"p{number}": {"pattern": f"^x{number}$"} for number in range(MAX_PATTERNS + 1)}
    with pytest.raises(InvalidSchema, match="patterns"):
        answer_schema.check({"type": "object", "properties": many})
    with pytest.raises(InvalidSchema, match="too large"):
        answer_schema.check({"type": "object", "properties": {"p": {"pattern": "(\\w{99}){99}"}}})
    assert compile_pattern("^[A-Z]{2}[0-9]{6}$").search("AB123456")


@pytest.mark.parametrize("piece", ["<document>", "```x\n", "~~~ \n```\n", '"""\n~~~x\n', "\n"])
def test_fences_that_open_and_never_close_are_looked_for_once(piece: str) -> None:
    message = piece * (4 * MB // len(piece))
    found = list(fenced(f"Sum up.\n\n{message}\n\nIn ten words."))

    assert all(part.start < part.end for part in found)
    assert sum(part.end - part.start for part in found) <= len(message) + 64


def test_what_is_closed_is_found_behind_fences_that_never_are() -> None:
    text = "word " * 600
    message = f"What is it?\n```never closed\n~~~\n{text}\n~~~\n<document>never closed"

    assert [part.text.strip() for part in fenced(message)] == [text.strip()]
    assert len(ask_of([said("user", [message])]).documents) == 1


def test_a_goal_of_many_words_is_looked_through_once() -> None:
    assert asked("word " * MB) == "word " * MB
    assert asked(f"Do it. {'word ' * MB}? Then stop.").strip().endswith("?")


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("(a*)*b", "a" * 2 * MB),
        ("(a|aa)+$", "a" * 2 * MB + "b"),
        ("(x+x+)+y", "x" * 2 * MB),
        (".*.*=.*", "x" * 2 * MB),
        ("a", "a" * 2 * MB),
    ],
)
def test_a_search_reads_each_place_about_once(query: str, text: str) -> None:
    """A backtracking engine does not end on the first four; RE2 has no such inputs."""
    kept = Text(text)
    matcher = search.compile_query(query, regex=True)
    hits = search.find([Span(document="d", start=0, end=len(text))], matcher, kept.read, 6)

    windows = 1 + search.OVERLAP_CHARS / search.WINDOW_CHARS
    shown = 12 * search.MAX_PASSAGE_CHARS * 8
    assert kept.num_read <= windows * len(text) + search.WINDOW_CHARS + shown
    assert len(hits) <= 6


@pytest.mark.parametrize(
    "query", ["x*", "(?:)", "^", r"(a)\1", "(?=a)b", "(?<!a)b", "a{1001}", "((a{100}){100}){100}"]
)
def test_a_query_that_no_linear_engine_can_search_is_refused(query: str) -> None:
    with pytest.raises(InvalidInput):
        search.compile_query(query, regex=True)


def test_a_long_line_of_an_event_stream_comes_in_small_pieces() -> None:
    """8 MB in pieces of 16 bytes: looked through once, not once a piece."""
    parser = Parser()
    data = b'data: {"type": "x", "seq": 1, "at": 1.0, "data": {"t": "' + b"y" * 8 * MB + b'"}}\n\n'
    found = [
        event
        for start in range(0, len(data), 16)
        for event in parser.feed(data[start : start + 16])
    ]

    [event] = found
    assert len(str(event.data["t"])) == 8 * MB


def test_an_event_that_is_nested_too_deeply_is_refused() -> None:
    with pytest.raises(ClientError):
        list(Parser().feed(b"data: " + b"[" * 200_000 + b"\n\n"))
