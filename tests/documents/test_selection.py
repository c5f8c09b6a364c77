from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from banyan import records
from banyan.errors import InvalidInput
from banyan.fields import reader_of
from banyan.layouts import layout_of
from banyan.records import Record, records_of
from banyan.selection import Named, Query, named, select
from banyan.spans import Span
from banyan.value_counts import result


def of_text(text: str) -> Iterator[Record]:
    layout = layout_of(text)
    reader = reader_of(text, layout)
    span = Span(document="d", start=0, end=len(text))
    return records_of([span], lambda one: text[one.start : one.end], lambda _: (layout, reader))


def of_fields(*rows: Mapping[str, str]) -> list[Record]:
    return [Record("d", index, "text", row) for index, row in enumerate(rows)]


DATES = ("Jan 03, 2022", "May 27, 2022", "May 02, 2023", "Jun 30, 2023")
ROWS = of_fields(
    *(
        {"Date": date, "User": user, "Text": f"{user} wrote that it may be so on {date} or not"}
        for date in DATES
        for user in ("7", "8", "19")
    )
)


def names(goal: str) -> dict[str, tuple[str, ...]]:
    return {one.field: one.values for one in named(goal, ROWS)}


@pytest.mark.parametrize(
    ("goal", "values"),
    [
        ("How many are spam?", {}),
        ("How many of users 7 and 19 are spam?", {"User": ("7", "19")}),
        ("How many are of May of any year?", {"Date": ("May",)}),
        ("How many are of 2022?", {"Date": ("2022",)}),
        ("How many are of May 2022?", {"Date": ("May 2022",)}),
        ("How many are of May 27, 2022?", {"Date": ("May 27, 2022",)}),
        ("How many may be spam?", {}),
        ("How many are of March?", {}),
        ("How many are from May to June?", {"Date": ("from May to June",)}),
        (
            "How many are between May 27, 2022 and May 02, 2023?",
            {"Date": ("between May 27, 2022 and May 02, 2023",)},
        ),
        ("How many are from May to be seen?", {}),
        ("How many are between 2022 and 2023?", {}),
    ],
)
def test_values_that_a_goal_names_are_found(goal: str, values: dict[str, tuple[str, ...]]) -> None:
    assert {name: found for name, found in names(goal).items() if found} == values


@pytest.mark.parametrize("goal", ["Which user wrote most?", "Which of the users wrote most?"])
def test_a_field_that_is_named_and_whose_values_recur_can_be_counted_by(goal: str) -> None:
    assert named(goal, ROWS) == (Named("User", (), counts=True),)


def test_a_field_whose_values_do_not_recur_is_not_counted_by() -> None:
    assert named("Which text is the most common?", ROWS) == ()


def test_values_that_every_goal_may_have_are_not_named() -> None:
    rows = of_fields(
        *({"paid": paid, "grade": "A", "by": "card", "has": "x"} for paid in ("no", "yes") * 4)
    )
    assert named("Is there a card that has no limit?", rows) == (
        Named("by", ("card",), counts=False),
    )


def test_names_of_several_words_are_found_however_they_are_written() -> None:
    for name in ("home town", "home_town", "homeTown", "home.town"):
        rows = of_fields(*({name: town} for town in ("Rome", "Bonn") * 4))
        assert [one.field for one in named("Which home town is named most?", rows)] == [name]


def chosen(where: Mapping[str, list[str]]) -> list[int]:
    return [passage.sources[0].start for passage in select(ROWS, Query(where)).records]


def test_records_are_chosen_by_any_value_of_each_field() -> None:
    assert chosen({"User": ["7"]}) == [0, 3, 6, 9]
    assert chosen({"User": ["7", "19"], "Date": ["may 2022"]}) == [3, 5]
    assert chosen({"Date": ["2023"]}) == [6, 7, 8, 9, 10, 11]
    assert chosen({"User": ["1"]}) == []
    assert chosen({"Date": ["May"]}) == [3, 4, 5, 6, 7, 8]
    assert chosen({"Date": ["after May 2022"], "User": ["8"]}) == [7, 10]


def test_months_of_dates_as_machines_write_them() -> None:
    rows = of_fields(*({"at": f"2024-{month:02}-11T10:00:00Z"} for month in range(1, 13)))
    [one] = named("What happened in November?", rows)
    assert one.values == ("November",)
    assert select(rows, Query({"at": one.values})).num_selected == 1


def test_records_are_chosen_by_what_is_said_of_their_numbers() -> None:
    rows = of_fields(*({"star_rating": str(n % 6), "place": f"p{n % 4}"} for n in range(24)))
    [one] = named("Of those with a star rating of at least 4, how many are spam?", rows)
    assert one == Named("star_rating", ("at least 4",), counts=False)
    [again] = named("Which star rating is the rarest of a star rating of at least 3?", rows)
    assert again == Named("star_rating", ("at least 3",), counts=True)
    query = Query({one.field: one.values, "place": ["p1"]})
    assert select(rows, query).num_selected == sum(n % 6 >= 4 and n % 4 == 1 for n in range(24))


def test_a_number_that_something_else_is_compared_with_is_no_value() -> None:
    rows = of_fields(*({"stars": str(n % 6), "by": f"u{n % 3}"} for n in range(24)))
    assert named("How many were read by at least 4 users?", rows) == ()
    years = of_fields(*({"year": str(2020 + n % 4), "by": f"u{n % 3}"} for n in range(24)))
    assert named("How many were read since 2022?", years) == ()
    assert named("How many got 4 from u2?", rows) == (
        Named("stars", ("4",), counts=False),
        Named("by", ("u2",), counts=False),
    )


def test_values_are_counted_exactly() -> None:
    found = select(ROWS, Query({"Date": ["May"]}, count_by="User"))
    assert (found.num_selected, found.num_without) == (6, 0)
    assert found.counts == {"7": 2, "8": 2, "19": 2}
    assert found.records == ()


def test_records_without_the_field_that_is_counted_by_are_told() -> None:
    found = select(of_fields({"a": "x"}, {"a": "x"}, {"b": "x"}, {"a": ""}), Query({}, "a"))
    assert (found.counts, found.num_without) == ({"x": 2}, 2)
    answer, rules = result("a", found)
    assert answer["records without a"] == 2
    assert rules.keys() == answer.keys()


def test_a_field_that_no_record_has_is_an_error() -> None:
    with pytest.raises(InvalidInput, match="no record has the field 'Colour'"):
        select(ROWS, Query({"Colour": ["red"]}))


def test_of_many_values_the_commonest_and_the_extremes_are_told() -> None:
    rows = of_fields(*({"user": f"u{n}"} for n in range(100) for _ in range(1 + (n > 90))))
    answer, _ = result("user", select(rows, Query({}, "user")))
    listed = answer["records by user"]
    assert isinstance(listed, list)
    assert listed[:2] == ["u91 (2)", "u92 (2)"]
    assert listed[-1] == "and 80 more"
    assert answer["most common"] == [*(f"u{n}" for n in range(91, 99)), "and 1 more"]
    assert (answer["different values"], answer["records in all"]) == (100, 109)


@given(
    st.lists(st.text('ab,\n" ', max_size=30), min_size=12, max_size=40),
    st.integers(1, 200),
)  # fmt: skip
def test_records_are_the_same_however_they_are_read(texts: list[str], chunk: int) -> None:
    lines = [json.dumps({"n": n, "text": text}) for n, text in enumerate(texts)]
    text = "\n".join(lines)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(records, "_CHUNK_CHARS", chunk)
        found = [*of_text(text)]
    assert [record.fields["n"] for record in found] == [str(n) for n in range(len(texts))]
    assert "".join(record.text for record in found) == text
    for record in found:
        assert text[record.span.start : record.span.end] == record.text


@given(st.integers(1, 300))
def test_a_header_is_no_record_however_little_is_read_at_a_time(chunk: int) -> None:
    text = "number,thing\n" + "".join(f'{n},"a\n{n}"\n' for n in range(40))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(records, "_CHUNK_CHARS", chunk)
        found = select(of_text(text), Query({"number": ["7", "39"]}))
    assert [one.text for one in found.records] == ['7,"a\n7"\n', '39,"a\n39"\n']
    assert sum(1 for _ in of_text(text)) == 40
    assert [(one.start, one.end) for one in found.headers] == [(0, len("number,thing\n"))]
