from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from banyan.action import SplitBy
from banyan.boundaries import is_inside
from banyan.spans import Span
from banyan.splits import split
from banyan.structure import BY
from tests.documents.texts import texts

bys = st.sampled_from([None, *BY])


def whole(document: str, text: str) -> Span:
    return Span(document=document, start=0, end=len(text))


def divide(text: str, parts: int, by: SplitBy | None = None) -> list[str]:
    spans = split([whole("d", text)], parts, by, lambda span: text[span.start : span.end])
    return ["".join(text[span.start : span.end] for span in part) for part in spans]


def flat(parts: list[tuple[Span, ...]]) -> list[tuple[str, int]]:
    return [(s.document, at) for part in parts for s in part for at in range(s.start, s.end)]


@given(texts, st.integers(1, 40), bys)
def test_parts_cover_a_text_once_and_none_is_empty(
    text: str, parts: int, by: SplitBy | None
) -> None:
    divided = divide(text, parts, by)
    assert "".join(divided) == text
    assert all(divided)
    assert len(divided) <= parts


@given(st.lists(texts, max_size=6), st.integers(1, 12), bys, st.data())
def test_parts_cover_several_inputs_once_in_order(
    documents: list[str], parts: int, by: SplitBy | None, data: st.DataObject
) -> None:
    inputs = []
    for number, text in enumerate(documents):
        start = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(start, len(text)))
        inputs.append(Span(document=str(number), start=start, end=end))
    divided = split(
        inputs, parts, by, lambda span: documents[int(span.document)][span.start : span.end]
    )
    assert flat(divided) == flat([tuple(inputs)])
    assert all(len(span) > 0 for part in divided for span in part)
    assert len(divided) <= parts


@given(texts, st.integers(2, 8), st.integers(1, 40), bys)
def test_no_part_is_longer_than_twice_its_share(
    seed: str, parts: int, factor: int, by: SplitBy | None
) -> None:
    text = (seed or "x") * (1 + 64 * parts * factor // max(1, len(seed)))
    divided = divide(text, parts, by)
    assert len(divided) == parts
    assert max(map(len, divided)) <= 2 * len(text) / parts


@given(texts, st.integers(2, 30))
def test_carriage_return_and_line_feed_stay_together(text: str, parts: int) -> None:
    divided = divide(text, parts)
    for left, right in pairwise(divided):
        assert not (left.endswith("\r") and right.startswith("\n"))


@given(st.lists(st.sampled_from(["👩\u200d👩\u200d👧", "e\u0301", "🇩🇪", "a", "\r\n"]), min_size=1))
def test_characters_stay_whole(characters: list[str]) -> None:
    text = "".join(characters) * 40
    divided = divide(text, 4)
    cuts = [sum(map(len, divided[:n])) for n in range(1, len(divided))]
    assert not any(is_inside(text, cut) for cut in cuts)


def test_a_text_is_cut_at_its_headings() -> None:
    text = "".join(
        f"# Section {n}\n\n" + "Some words stand here. Others too.\n\n" * (20 + n) for n in range(8)
    )
    divided = divide(text, 4)
    assert [part[: part.index("\n")] for part in divided] == [
        "# Section 0",
        "# Section 2",
        "# Section 4",
        "# Section 6",
    ]


@pytest.mark.parametrize(
    ("by", "ends"), [("paragraph", ".\n\n"), ("line", "\n"), ("sentence", (". ", ".\n", ".\n\n"))]
)
def test_the_caller_chooses_the_boundaries(by: SplitBy, ends: str | tuple[str, ...]) -> None:
    unit = "One sentence here. Another one there.\nA line that runs on\nand on. It ends.\n\n"
    divided = divide(unit * 60, 5, by)
    assert len(divided) == 5
    assert all(part.endswith(ends) for part in divided[:-1])


def test_where_the_chosen_boundaries_are_missing_others_serve() -> None:
    divided = divide("word " * 400, 4, "section")
    assert len(divided) == 4
    assert all(part.endswith(" ") for part in divided)


def test_a_document_ends_a_part_where_it_ends_near() -> None:
    lengths = {"a": 1_000, "b": 900, "c": 1_100, "d": 1_000}
    inputs = [Span(document=name, start=0, end=n) for name, n in lengths.items()]
    parts = split(inputs, 4, None, lambda span: "x" * len(span))
    assert parts == [(span,) for span in inputs]


def test_a_part_may_hold_several_documents() -> None:
    inputs = [Span(document=str(n), start=5, end=105) for n in range(100)]
    parts = split(inputs, 4, None, lambda span: "x" * len(span))
    assert [len(part) for part in parts] == [25, 25, 25, 25]


def test_derived_documents_are_cut_between_passages() -> None:
    starts = list(range(0, 3_000, 130))
    span = Span(document="d", start=0, end=3_000)
    parts = split([span], 5, None, lambda s: "x" * len(s), {"d": starts})
    assert len(parts) == 5
    assert {part[0].start for part in parts} <= set(starts)


@given(st.lists(st.integers(1, 900), min_size=1, max_size=30), st.integers(2, 12))
def test_passages_that_fit_a_part_stay_whole(lengths: list[int], parts: int) -> None:
    starts = [sum(lengths[:n]) for n in range(len(lengths))]
    total = sum(lengths)
    divided = split(
        [Span(document="d", start=0, end=total)], parts, None, lambda s: "x" * len(s), {"d": starts}
    )
    share = total / min(parts, total)
    too_long = [(s, s + n) for s, n in zip(starts, lengths, strict=True) if n > share]
    for part in divided[1:]:
        cut = part[0].start
        assert cut in starts or any(start < cut < end for start, end in too_long)
    assert flat(divided) == [("d", at) for at in range(total)]
    if share > 64:
        assert max(sum(map(len, part)) for part in divided) <= 2 * share + 1


def test_a_passage_larger_than_a_part_is_cut_inside() -> None:
    divided = split(
        [Span(document="d", start=0, end=1_000)], 4, None, lambda s: "x" * len(s), {"d": [0, 990]}
    )
    assert [part[0].start for part in divided] == [0, 250, 500, 750]


def test_nothing_is_divided_into_nothing() -> None:
    assert split([Span(document="d", start=3, end=3)], 4, None, lambda _: "") == []


def test_there_are_fewer_parts_than_asked_where_there_is_too_little_text() -> None:
    assert divide("abc", 10) == ["a", "b", "c"]
    assert divide("\r\n", 2) == ["\r\n"]


@pytest.mark.parametrize(("parts", "by"), [(0, None), (2, "page")])
def test_impossible_requests_are_refused(parts: int, by: SplitBy | None) -> None:
    with pytest.raises(ValueError, match=r"split"):
        divide("some text", parts, by)


@pytest.mark.parametrize(
    "unit", ["x", "\n", " ", ".", "\u0301", "\r\n", "---\n", "A. ", "\n\n1. a"]
)
def test_ten_megabytes_of_anything_are_split_by_reading_little(unit: str) -> None:
    text = unit * (10_000_000 // len(unit))
    read_chars = 0

    def read(span: Span) -> str:
        nonlocal read_chars
        read_chars += len(span)
        return text[span.start : span.end]

    parts = split([whole("d", text)], 8, None, read)
    assert len(parts) == 8
    assert sum(len(span) for part in parts for span in part) == len(text)
    assert max(len(part[0]) for part in parts) <= 1.6 * len(text) / 8
    assert read_chars < 700_000
