from __future__ import annotations

import copy
import csv
import io
import json
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from banyan.enclosures import Elements, Enclosure, Fences, Quotes
from tests.documents import layouts

MAKERS: dict[str, Callable[[], Enclosure]] = {
    "quotes": lambda: Quotes(","),
    "fences": Fences,
    "elements": lambda: Elements(in_array=False),
}
PIECES = ['"', '""', ",", "\n", "\r\n", "a", "b c", "```", "````", "~~~", "```py\n", "\n```\n", "[",
          "{", "}", "]", "\\", '\\"', " ", "x" * 600, "[{"]  # fmt: skip
messy = st.lists(st.sampled_from(PIECES), max_size=60).map("".join)


def inside(enclosure: Enclosure, text: str) -> set[int]:
    return {p for start, end in enclosure.feed(text) for p in range(start + 1, end)}


@pytest.mark.parametrize("kind", list(MAKERS))
@given(messy, st.lists(st.integers(0, 600), max_size=6))
def test_what_is_open_does_not_depend_on_the_pieces_a_text_is_fed_in(
    kind: str, text: str, cuts: list[int]
) -> None:
    whole, in_pieces = MAKERS[kind](), MAKERS[kind]()
    whole.feed(text)
    edges = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    for start, end in pairwise(edges):
        in_pieces.feed(text[start:end])
    follows = 'a"\n,"b",\n```\n},{"x": "y"}, 3\n'
    assert inside(copy.copy(whole), follows) == inside(copy.copy(in_pieces), follows)


@pytest.mark.parametrize("kind", list(MAKERS))
@given(messy)
def test_stretches_are_in_order_and_in_the_text(kind: str, text: str) -> None:
    closed = MAKERS[kind]().feed(text)
    assert closed == sorted(closed)
    assert all(0 <= start < end <= len(text) for start, end in closed)


rows = st.lists(
    st.lists(st.text(st.sampled_from('ab,"\n\r x'), max_size=8), min_size=2, max_size=4),
    min_size=1,
    max_size=8,
)


@given(rows)
def test_lines_outside_of_quotes_are_the_records_of_a_table(table: list[list[str]]) -> None:
    lengths = []
    out = io.StringIO(newline="")
    for row in table:
        csv.writer(out).writerow(row)
        lengths.append(len(out.getvalue()))
    text = out.getvalue()
    shut = inside(Quotes(","), text)
    ends = [p + 1 for p in range(len(text)) if text[p] == "\n" and p + 1 not in shut]
    assert ends == lengths


values = st.recursive(
    st.one_of(st.integers(), st.text(st.sampled_from('ab,"[]{}\\'), max_size=6)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from("ab"), inner)
    ),
    max_leaves=8,
)


@given(st.lists(values, max_size=6), st.sampled_from([None, 2]))
def test_commas_outside_of_elements_part_the_elements_of_an_array(
    array: list[object], indent: int | None
) -> None:
    text = json.dumps(array, indent=indent)
    shut = inside(Elements(in_array=False), text)
    commas = [p for p in range(len(text)) if text[p] == "," and p + 1 not in shut]
    edges = [text.index("["), *commas, text.rindex("]")]
    found = [text[a + 1 : b] for a, b in pairwise(edges)]
    assert [json.loads(one) for one in found if one.strip()] == array


def test_a_fence_is_closed_by_as_many_marks_of_the_same_kind() -> None:
    text = "a\n````\n```\n~~~~~\n````` x\n`````\nb\n"
    [(start, end)] = Fences().feed(text)
    assert text[start:end] == "````\n```\n~~~~~\n````` x\n`````\n"


def test_a_block_of_markdown_is_one_stretch() -> None:
    text = layouts.markdown(1)
    [(start, end)] = Fences().feed(text)
    assert text[start:end].startswith("```python\n# no heading")
    assert text[start:end].endswith("y = 2\n```\n")
