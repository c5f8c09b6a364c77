from __future__ import annotations

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from banyan.fields import reader_of
from banyan.layouts import HEAD_CHARS, layout_of


def read_all(text: str, *records: str) -> list[dict[str, str]]:
    reader = reader_of(text[:HEAD_CHARS], layout_of(text[:HEAD_CHARS]))
    assert reader is not None
    return [reader(record) for record in records]


def has_fields(text: str) -> bool:
    return reader_of(text, layout_of(text)) is not None


def test_columns_of_a_table() -> None:
    text = "id;city;remark\n" + "".join(f'{n};Rome;"big; old\nand {n}"\n' for n in range(9))
    assert read_all(text, '3;Rome;"big; old\nand 3"\n', "4;Bonn\n") == [
        {"id": "3", "city": "Rome", "remark": "big; old\nand 3"},
        {"id": "4", "city": "Bonn"},
    ]


def test_a_table_without_names_has_no_fields() -> None:
    assert not has_fields("".join(f"{n},{n * 2},{n * 3}\n" for n in range(20)))


def test_keys_of_json_lines_and_those_of_objects_in_them() -> None:
    line = '{"user": {"id": 7, "name": "Ann "}, "ok": true, "tags": ["a"], "none": null}\n'
    assert read_all(line * 12, line, "{broken", "[1]") == [
        {"user.id": "7", "user.name": "Ann", "ok": "true"}, {}, {},
    ]  # fmt: skip


def test_keys_of_an_array_wherever_its_elements_were_cut() -> None:
    text = json.dumps([{"n": n, "who": "Ann"} for n in range(20)])
    pieces = ['[{"n": 0, "who": "Ann"}, ', '{"n": 1, "who": "Ann"}, ', '{"n": 2, "who": "Bob"}]']
    assert [one["n"] for one in read_all(text, *pieces)] == ["0", "1", "2"]


def test_names_in_the_lines_of_a_list_behind_a_preamble() -> None:
    lines = [f"Date: May {n}, 2023 || User: {n % 3} || Text: so || Said: {n}\n" for n in range(20)]
    free = "Date: May 4, 2023 || User: 1 || Text: a || b: c || Said: 4"
    text = "These are twenty lines.\n\n" + "".join([*lines[:9], free + "\n", *lines[9:]])
    assert read_all(text, free, "something else") == [
        {"Date": "May 4, 2023", "User": "1", "Text": "a || b: c || Said: 4"},
        {},
    ]


def test_pairs_in_the_lines_of_a_log() -> None:
    lines = [f'ts=2024-05-{n:02} level=warn msg="it \\"is\\" {n}" n={n}\n' for n in range(1, 20)]
    assert read_all("".join(lines), lines[6]) == [
        {"ts": "2024-05-07", "level": "warn", "msg": 'it \\"is\\" 7', "n": "7"}
    ]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Once upon a time there was a king. He had three sons.\n" * 30,
        "".join(f"- item {n}\n" for n in range(30)),
        "".join(f"12:{n:02} something happened\n" for n in range(30)),
        "\n".join(f"def f{n}(a: int, b: str) -> None:\n    return" for n in range(30)),
    ],
)
def test_texts_without_fields(text: str) -> None:
    assert not has_fields(text)


@given(st.lists(st.tuples(st.text(), st.text()), min_size=12, max_size=12))
def test_whatever_a_table_holds_is_read_as_it_was_written(rows: list[tuple[str, str]]) -> None:
    rows = [(a.replace("\0", ""), b.replace("\0", "")) for a, b in rows]
    head = "number,first,second\n" + "".join(f"{n},word,word\n" for n in range(20))
    reader = reader_of(head, layout_of(head))
    assert reader is not None
    for number, (first, second) in enumerate(rows):
        written = io.StringIO()
        csv.writer(written).writerow([number, first, second])
        found = reader(written.getvalue())
        assert found["number"] == str(number)
        if "\r" not in first + second:  # within quotes, which the standard leaves open
            assert (found["first"], found["second"]) == (first.strip(), second.strip())


@given(st.text(max_size=400))
def test_whatever_stands_in_a_record_is_read_or_left_out(record: str) -> None:
    lines = "".join(f"level=warn user={n}\n" for n in range(20))
    table = "number,thing\n" + "".join(f"{n},saw\n" for n in range(20))
    listed = "".join(f"A: {n} || B: {n}\n" for n in range(20))
    objects = "".join(f'{{"a": {n}}}\n' for n in range(20))
    for text in (lines, table, listed, objects):
        [found] = read_all(text, record)
        assert all(isinstance(value, str) for value in found.values())
