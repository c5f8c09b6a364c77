from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from banyan.layouts import HEAD_CHARS, PROSE, Layout, layout_of
from banyan.spans import Span
from banyan.splits import split
from banyan.structure import records
from tests.documents import layouts
from tests.documents.texts import texts


def divide(text: str, parts: int, by: None = None) -> list[str]:
    spans = split(
        [Span(document="d", start=0, end=len(text))],
        parts,
        by,
        lambda span: text[span.start : span.end],
        layout=lambda _: layout_of(text[:HEAD_CHARS]),
    )
    return ["".join(text[span.start : span.end] for span in part) for part in spans]


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        *((make, kind) for kind, make in layouts.MAKERS.items()),
        (layouts.timed_transcript, "transcript"),
        (layouts.pretty_json, "json_array"),
        (layouts.c_code, "code"),
        (layouts.labelled_lines, "lines"),
    ],
)
@pytest.mark.parametrize("count", [12, 400])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_the_layout_of_a_document_is_told_from_its_beginning(
    make: Callable[[int], str], kind: str, count: int, newline: str
) -> None:
    text = make(count).replace("\r\n", "\n").replace("\n", newline)
    assert layout_of(text[:HEAD_CHARS]).kind == kind


@pytest.mark.parametrize(
    "text",
    [
        "",
        "He had one rule: never ask.\nNote: this is prose.\nIt goes on, and on.\n" * 3,
        "Name: Ann\nAge: 4\nTown: Ulm\n\nName: Bob\nAge: 5\nTown: Bonn\n\n" * 6,
        "Dear Ann, it rains.\nDear Bob, it pours.\nWell, so be it.\nYes, really.\n" * 4,
        "1. Scope\n\n" + "Long text here. " * 40 + "\n\n2. Terms\n\n" + "More of it. " * 40,
        "[1, 2, 3] is a list. " * 20,
        "We import goods from abroad; if (and only if) needed, we return them.\n" * 20,
        "http://a.example\nhttp://b.example\n" * 8,
        "- one\n- two\n" * 3 + "And so on, with what was said of them.\n",
        "Long before it. " * 200 + "\n" + "- one\n- two\n" * 9,
    ],
)
def test_prose_is_nothing_else(text: str) -> None:
    assert layout_of(text) == PROSE


@given(texts)
def test_any_text_has_a_layout_and_its_header_lies_in_it(text: str) -> None:
    assert 0 <= layout_of(text).header_chars <= len(text)


def test_a_header_is_told_from_records() -> None:
    with_header = layouts.table(9)
    header = layout_of(with_header).header_chars
    assert with_header[:header] == "id,name,text\r\n"
    assert layout_of(with_header[header:]) == Layout("csv", delimiter=",")
    assert layout_of("city;size\nUlm;3\nBonn;4\nKiel;5\nHof;6\n").header_chars == 10
    assert layout_of("Ulm;x\nBonn;y\nKiel;z\nHof;x\nJena;y\n").header_chars == 0


@pytest.mark.parametrize("num_chars", [900, HEAD_CHARS])
def test_what_stands_before_lines_that_begin_alike_is_their_header(num_chars: int) -> None:
    text = layouts.log_lines(400)[:num_chars]  # its last line is cut off where it is longer
    layout = layout_of(text)
    assert layout.kind == "lines"
    assert text[: layout.header_chars] == "What happened, a line each.\n\n"


def begins(layout: str) -> re.Pattern[str]:
    return re.compile(
        {
            "transcript": r"(Ann Lee|Bob|Prof\. Ü): turn",
            "csv": r'\d+,"name, \d+",',
            "json_lines": r'\{"id": \d+',
            "json_array": r'\{"id": \d+',
            "numbered": r"\d+\. item",
            "lines": r"2026-11-\d\dT\S+ line",
            "code": r"# What follows",
            "prose": r"## Part",
        }[layout]
    )


@pytest.mark.parametrize("kind", list(layouts.MAKERS))
@settings(max_examples=20)
@given(st.integers(40, 300), st.integers(2, 12))
def test_parts_begin_with_whole_units_and_cover_the_text_once(
    kind: str, count: int, parts: int
) -> None:
    text = layouts.MAKERS[kind](count)
    divided = divide(text, parts)
    assert "".join(divided) == text
    assert len(divided) == parts
    for part in divided[1:]:
        assert begins(kind).match(part), part[:60]
    assert max(map(len, divided)) <= 2 * len(text) / parts


@pytest.mark.parametrize(
    ("make", "pattern"),
    [
        (layouts.timed_transcript, r"\[00:\d\d:\d\d\] Speaker"),
        (layouts.pretty_json, r'\{\n    "id": \d+'),
        (layouts.c_code, r"/\* number"),
    ],
)
def test_other_ways_to_write_them_are_cut_alike(make: Callable[[int], str], pattern: str) -> None:
    for part in divide(make(200), 7)[1:]:
        assert re.match(pattern, part), part[:60]


def test_a_function_that_is_larger_than_a_part_is_cut_between_its_lines() -> None:
    text = layouts.python_code(3) + "\n\ndef long():\n" + "    x = 1\n    y = 2\n" * 500
    assert all(part.endswith("\n") for part in divide(text, 8)[:-1])


def test_a_fenced_block_that_is_larger_than_a_part_is_cut_between_its_lines() -> None:
    block = "some line of it\n" * 900
    text = f"{layouts.markdown(3)}```\n{block}```\n"
    divided = divide(text, 6)
    assert len(divided) == 6
    assert all(part.endswith("\n") for part in divided[:-1])


def test_a_part_of_an_array_is_divided_between_its_elements_again() -> None:
    text = layouts.json_array(200)
    start = text.index('{"id": 100')
    span = Span(document="d", start=start, end=len(text))
    parts = split(
        [span],
        4,
        None,
        lambda span: text[span.start : span.end],
        layout=lambda _: Layout("json_array"),
    )
    assert len(parts) == 4
    for [part] in parts:
        assert begins("json_array").match(text, part.start)


@pytest.mark.parametrize("kind", ["csv", "json_lines", "json_array", "numbered", "lines"])
@settings(max_examples=20)
@given(st.integers(40, 300), st.integers(1, 12))
def test_records_are_the_same_however_a_text_is_divided(kind: str, count: int, parts: int) -> None:
    text = layouts.MAKERS[kind](count)
    layout = layout_of(text[:HEAD_CHARS])
    found = []
    position = 0
    for part in divide(text, parts):
        found += [part[a:b] for a, b in records(part, layout, at_start=position == 0)]
        position += len(part)
    assert len(found) == count
    assert found == [text[a:b] for a, b in records(text, layout, at_start=True)]


HOSTILE = ['"', '",\n', ',"', '""', "```\n", "~~~ x\n", "`" * 300 + "\n", "[{", "[[", '{"a":1},',
           "A: b\n", "Ab " * 9, "def f():\n", "# x\n", "1. a\n", "\\", '["\\', "> > >", "@a\n",
           "\n", "x", "}\n", "public static ", "00:00:00 "]  # fmt: skip


@pytest.mark.parametrize("unit", HOSTILE)
@pytest.mark.parametrize(
    "layout",
    [
        PROSE,
        Layout("transcript"),
        Layout("code"),
        Layout("csv", delimiter=","),
        Layout("json_array"),
        Layout("json_lines"),
        Layout("numbered", numbering="0."),
        Layout("lines"),
    ],
    ids=lambda layout: layout.kind,
)
def test_whatever_stands_there_is_read_through_at_most_once(unit: str, layout: Layout) -> None:
    text = unit * (600_000 // len(unit))
    read_chars = 0

    def read(span: Span) -> str:
        nonlocal read_chars
        read_chars += len(span)
        return text[span.start : span.end]

    span = Span(document="d", start=0, end=len(text))
    parts = split([span], 8, None, read, layout=lambda _: layout)
    assert len(parts) == 8
    assert [one.start for [one] in parts][1:] == [one.end for [one] in parts][:-1]
    assert sum(len(one) for [one] in parts) == len(text)
    assert max(len(one) for [one] in parts) <= 2 * len(text) / 8
    assert read_chars < len(text) + 700_000


@pytest.mark.parametrize("unit", ["\n", "x", '"', "```\n", "A: b\n", '{"a":1},'])
def test_ten_megabytes_of_anything_have_a_layout_and_parts(unit: str) -> None:
    text = unit * (10_000_000 // len(unit))
    divided = divide(text, 8)
    assert "".join(divided) == text
    assert max(map(len, divided)) <= 2 * len(text) / 8
