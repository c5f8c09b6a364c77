"""Token ids as text say the same as the numbers."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from banyan.token_ids import as_text, count, joined, of_text, to_text

ids = st.lists(st.integers(0, 300_000), max_size=6).map(tuple)


@given(ids)
def test_a_text_gives_back_its_ids(token_ids: tuple[int, ...]) -> None:
    assert of_text(to_text(token_ids)) == token_ids
    assert count(to_text(token_ids)) == len(token_ids)


@given(ids, ids)
def test_two_texts_are_joined_as_their_ids_are(
    first: tuple[int, ...], second: tuple[int, ...]
) -> None:
    assert joined(to_text(first), to_text(second)) == to_text(first + second)


@given(ids)
def test_ids_that_were_kept_as_numbers_become_the_same_text(token_ids: tuple[int, ...]) -> None:
    assert as_text(list(token_ids)) == as_text(to_text(token_ids)) == to_text(token_ids)
