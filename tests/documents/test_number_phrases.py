"""What a goal says of the numbers of a field, and which numbers are of it."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from banyan.number_phrases import is_of, named, number_of, without

PRICES = ("$5", "$20.50", "$100", "$1,200")


def chosen(goal: str, field: str = "price") -> tuple[str, ...] | None:
    """The prices of what the goal says; None where it says nothing of them."""
    phrases = named(goal, field, PRICES)
    if phrases is None:
        return None
    return tuple(value for value in PRICES if any(is_of(value, phrase) for phrase in phrases))


@pytest.mark.parametrize(
    ("goal", "expected"),
    [
        ("Which things with a price above $100 are tools?", ("$1,200",)),
        ("Which things with a price of more than 20 are tools?", ("$20.50", "$100", "$1,200")),
        ("Which things with a price of at least $100 are tools?", ("$100", "$1,200")),
        ("Which things whose price is below 100 are tools?", ("$5", "$20.50")),
        ("Which things with prices up to $100 are tools?", ("$5", "$20.50", "$100")),
        ("Which things with a price between $20 and $100 are tools?", ("$20.50", "$100")),
        ("Which things with a price from $20 to $100 are tools?", ("$20.50", "$100")),
        ("Which things with a price of 100 or more are tools?", ("$100", "$1,200")),
        ("Which things with price >= 1,200 are tools?", ("$1,200",)),
        ("Which things with price < 20.5 are tools?", ("$5",)),
        ("Which things have a price under 20 or so?", ("$5",)),
    ],
)
def test_numbers_are_chosen_by_what_is_said_of_their_field(
    goal: str, expected: tuple[str, ...]
) -> None:
    assert chosen(goal) == expected


@pytest.mark.parametrize(
    ("goal", "expected"),
    [
        ("Which reviews have at least 20 stars?", ("$20.50", "$100", "$1,200")),
        ("Which reviews have 100+ stars?", ("$100", "$1,200")),
        ("Which reviews have fewer than 20 stars?", ("$5",)),
    ],
)
def test_the_name_may_stand_behind(goal: str, expected: tuple[str, ...]) -> None:
    assert chosen(goal, "star") == expected


@pytest.mark.parametrize(
    "goal",
    [
        "Which things with a price above 10 and below 200 are tools?",
        "Are things with a price above 100 more often tools than those with a price below 50?",
        "Are things with a price above 100 more often tools than below 100?",
        "Which things have not at least 20 prices?",
        "Which things have a price above 2,000?",
        "Which things have a price above 0?",
    ],
)
def test_nothing_is_guessed_at(goal: str) -> None:
    assert chosen(goal) == ()


@pytest.mark.parametrize(
    "goal",
    [
        "Say in at most 200 words what is bought.",
        "Which things cost above 100?",
        "Which things have a price not above 100?",
        "What was the price in 2022?",
        "Which prices are told?",
    ],
)
def test_what_is_said_of_something_else_is_not_said_of_the_field(goal: str) -> None:
    assert chosen(goal) is None


def test_numbers_of_phrases_name_no_value() -> None:
    goal = "at least 4, or 5 & 7, or 8 and up, from 1 to 2, since 2022"
    assert without(goal).split() == [",", "or", "5", "&", "7,", "or", ",", ","]


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ("4", "4"),
        ("-3.5", "-3.5"),
        ("1,200.50", "1200.50"),
        ("\N{EURO SIGN}7", "7"),
        ("12 kg", "12"),
    ],
)
def test_numbers_are_read_with_their_units(value: str, number: str) -> None:
    assert number_of(value) == Decimal(number)


@pytest.mark.parametrize("value", ["", "four", "3,5", "1 2", "12 kilos", "2022-05-01", "1,20,000"])
def test_what_is_no_number_is_none(value: str) -> None:
    assert number_of(value) is None


@given(st.integers(-50, 50), st.integers(-50, 50), st.integers(-50, 50))
def test_phrases_hold_as_arithmetic_does(value: int, one: int, other: int) -> None:
    low, high = sorted((one, other))
    held = {
        f"above {one}": value > one,
        f"at least {one}": value >= one,
        f"less than {one}": value < one,
        f"no more than {one}": value <= one,
        f"{one} or less": value <= one,
        f"between {low} and {high}": low <= value <= high,
    }
    assert {phrase: is_of(str(value), phrase) for phrase in held} == held
