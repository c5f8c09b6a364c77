"""What a goal says of dates, and which dates are of it."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from banyan.date_phrases import is_of, named
from banyan.dates import date_of

JAN, MAY, NEXT_MAY, JUNE, NOVEMBER = VALUES = (
    "Jan 03, 2022", "May 27, 2022", "May 02, 2023", "Jun 30, 2023", "Nov 11, 2023",
)  # fmt: skip
DAYS = st.dates(dt.date(2019, 1, 1), dt.date(2024, 12, 31))
FORMS = ("%B {day}, %Y", "{day} %B %Y", "%Y-%m-%d", "{day}. %B %Y", "%b {day}, %Y")


def chosen(goal: str, values: tuple[str, ...] = VALUES) -> tuple[str, ...] | None:
    """The values of what the goal says; None where it says nothing of them."""
    phrases = named(goal, values)
    if not phrases:
        return None
    return tuple(value for value in values if any(is_of(value, phrase) for phrase in phrases))


@pytest.mark.parametrize(
    ("goal", "expected"),
    [
        ("What was said from May to June?", (MAY, NEXT_MAY, JUNE)),
        ("What was said between May and June 2023?", (NEXT_MAY, JUNE)),
        ("What was said from November to February?", (JAN, NOVEMBER)),
        ("What was said from November 2022 to May 2, 2023?", (NEXT_MAY,)),
        ("What was said between May 10 and November 1, 2023?", (JUNE,)),
        ("What was said between 2022-05-01 and 2022-06-30?", (MAY,)),
        ("What was said May 2 to 27, 2022?", (MAY,)),
        ("What was said between the 2nd and 27 of May 2022?", None),
        ("What was said from 2 to 27 May 2022?", (MAY,)),
        ("What was said in January 2022 \N{EN DASH} May 2022?", (JAN, MAY)),
        ("What was said before May 2023?", (JAN, MAY)),
        ("What was said before 2023?", (JAN, MAY)),
        ("What was said after May 2, 2023?", (JUNE, NOVEMBER)),
        ("What was said on or after May 2, 2023?", (NEXT_MAY, JUNE, NOVEMBER)),
        ("What was said on or before 27 May 2022?", (JAN, MAY)),
        ("What was said since May 2023?", (NEXT_MAY, JUNE, NOVEMBER)),
        ("What was said from June 2023 onwards?", (JUNE, NOVEMBER)),
    ],
)
def test_a_range_has_the_dates_in_it(goal: str, expected: tuple[str, ...] | None) -> None:
    assert chosen(goal) == expected


@pytest.mark.parametrize(
    ("goal", "expected"),
    [
        ("What was said in May?", (MAY, NEXT_MAY)),
        ("What was said in may 2022?", (MAY,)),
        ("What was said in 2022?", (JAN, MAY)),
        ("What was said in the year 2022?", (JAN, MAY)),
        ("What was said in the month of June?", (JUNE,)),
        ("What was said in May and June 2023?", (NEXT_MAY, JUNE)),
        ("What was said in May, June and November of 2023?", (NEXT_MAY, JUNE, NOVEMBER)),
        ("What was said on May 27, 2022?", (MAY,)),
        ("What was said on 27th May 2022?", (MAY,)),
        ("What was said on 2022-05-27?", (MAY,)),
        ("What did users 7 and 12 say in May?", (MAY, NEXT_MAY)),
        ("Say in at most 2000 words what was said in June.", (JUNE,)),
        ("Say in 1000 to 2000 words what was said in June.", (JUNE,)),
    ],
)
def test_parts_have_the_dates_of_them(goal: str, expected: tuple[str, ...]) -> None:
    assert chosen(goal) == expected


@pytest.mark.parametrize(
    "goal",
    [
        "What may users say, and may I march?",
        "What was said by May 2023?",
        "What was said from May 2023?",
        "What was said until 2022?",
        "What was said, but not in May?",
        "What was said except in May?",
        "What was said two weeks after May 3, 2022?",
        "What was said in May 2022 or later?",
        "What was said in the middle of 2023?",
        "What was said on May 2 and 27?",
        "What was said on 2 and 27 May?",
        "What was said from January 2022 until now?",
        "Was more said before or after May 2023?",
        "Was more said before May 2022 than after June 2023?",
        "What of 2023 was said in May?",
        "What was said from May 10 to 2023?",
        "What was said in March?",
        "What was said on May 28, 2022?",
        "What was said on 2022-13-27?",
        "What was said since 2000?",
        "What was said between 2022 and 2023?",
        "What was said before June?",
        "What was said in May?" + " It was May 27, 2022." * 100,
    ],
)
def test_nothing_is_guessed_at(goal: str) -> None:
    assert chosen(goal) is None


def test_a_side_without_a_year_is_clear_where_all_dates_are_of_one() -> None:
    assert chosen("What was said before June?", (NEXT_MAY, JUNE)) == (NEXT_MAY,)


def test_dates_without_a_day_are_in_no_range_of_days() -> None:
    months = ("May 2022", "June 2022", "July 2022")
    assert chosen("What was said since May 5, 2022?", months) is None
    assert chosen("What was said since June 2022?", months) == ("June 2022", "July 2022")


@pytest.mark.parametrize(
    "value",
    [
        "2022-05-27T10:00:00Z",
        "2022-05-27 10:00:00.123+02:00",
        "2022/05/27",
        "27 May 2022",
        "Fri May 27 10:00:00 2022",
    ],
)
def test_a_date_is_known_in_many_forms(value: str) -> None:
    assert date_of(value) == date_of("May 27, 2022")


@pytest.mark.parametrize(
    "value", ["", "7", "2022", "May", "2022-13-01", "May be, or not: 5 % of 7"]
)
def test_what_is_no_date_is_none(value: str) -> None:
    assert date_of(value) is None


def test_nothing_is_said_of_values_that_are_no_dates() -> None:
    assert named("What was said in May 2022?", ("Rome", "May 27, 2022")) is None


def written(date: dt.date, form: str) -> str:
    return date.strftime(form).format(day=date.day)


@given(
    st.lists(DAYS, min_size=2, max_size=8, unique=True),
    DAYS,
    DAYS,
    st.sampled_from(FORMS[:3]),
    st.data(),
)
def test_ranges_are_those_of_the_calendar(
    days: list[dt.date],
    one: dt.date,
    other: dt.date,
    form: str,
    data: st.DataObject,
) -> None:
    first, last = sorted((one, other))
    values = tuple(written(day, data.draw(st.sampled_from(FORMS))) for day in days)
    sides = written(first, form), written(last, form)
    ranges = {
        f"between {sides[0]} and {sides[1]}": [first <= day <= last for day in days],
        f"before {sides[0]}": [day < first for day in days],
        f"after {sides[0]}": [day > first for day in days],
        f"since {sides[0]}": [day >= first for day in days],
    }
    for said, held in ranges.items():
        assert [is_of(value, said) for value in values] == held
        phrases = named(f"How many were written {said}?", values)
        assert phrases == ([said] if len({*held}) == 2 else [])
