from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from banyan.boundaries import DEFAULT_ORDER, Rank, anywhere, is_inside, nearest
from tests.documents.texts import texts


def found(text: str, rank: Rank) -> list[str]:
    """What stands behind every boundary of `rank` in `text`, up to the end of its line."""
    places = range(1, len(text))
    cuts = [p for p in places if nearest(text, p, p, p, frozenset({rank})) == p]
    return [text[p:].splitlines()[0] for p in cuts]


@pytest.mark.parametrize(
    "heading",
    [
        "# One",
        "###### Six",
        "Title\n=====",
        "Title\n-----",
        "=====\nTitle\n=====",
        "GENERAL PROVISIONS",
        "1. Scope",
        "2.3.1 Term and termination",
        "IV. Liability",
        "Article 12",
        "Section 3: Payment",
        "CHAPTER 2",
    ],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_headings_begin_sections(heading: str, newline: str) -> None:
    text = f"Some text.\n\n{heading}\n\nMore text.\n".replace("\n", newline)
    assert found(text, Rank.SECTION) == [heading.split("\n", maxsplit=1)[0]]


@pytest.mark.parametrize(
    "line",
    [
        "Plain words",
        "#hashtag",
        "1. This is a whole sentence, not a heading.",
        "2024",
        "12,500; 14,000",
        "日本語",
    ],
)
def test_other_lines_do_not(line: str) -> None:
    assert found(f"Some text.\n\n{line}\n\nMore text.\n", Rank.SECTION) == []


def test_paragraphs_begin_behind_blank_lines() -> None:
    text = "one\ntwo\n\nthree\n \t\n\n  four\r\n\r\nfive"
    assert found(text, Rank.PARAGRAPH) == ["three", "  four", "five"]


def test_lines_end_at_every_kind_of_newline() -> None:
    text = "a\nb\r\nc\rd\u2028e\x0cf\x85g"
    assert found(text, Rank.LINE) == ["b", "c", "d", "e", "f", "g"]


def test_sentences_end_at_marks_with_space_behind_them() -> None:
    text = 'He left. "Why?" she said. (Nobody knew.) Mail j. smith, e.g. at a.b.c. J. Smith! Yes'
    assert found(text, Rank.SENTENCE) == [
        text[text.index(start) :] for start in ['"Why', "(Nobody", "Mail", "J. Smith", "Yes"]
    ]


def test_ideographic_sentences_need_no_space() -> None:
    assert found("一文。二文\uff01「三文\uff1f」四", Rank.SENTENCE) == [
        "二文\uff01「三文\uff1f」四",
        "「三文\uff1f」四",
        "四",
    ]


@pytest.mark.parametrize(
    "character", ["\r\n", "e\u0301", "👩\u200d👧", "👍🏽", "🇩🇪", "✈\ufe0f", "하"]
)
def test_characters_stay_whole(character: str) -> None:
    text = f"a{character}b"
    inside = [p for p in range(1, len(text)) if is_inside(text, p)]
    assert inside == list(range(2, 1 + len(character)))


def test_flags_are_parted_between_pairs_only() -> None:
    assert [p for p in range(1, 6) if not is_inside("🇩🇪🇫🇷🇮🇹", p)] == [2, 4]


@given(texts, st.data())
def test_a_boundary_is_in_its_window_and_never_inside_a_character(
    text: str, data: st.DataObject
) -> None:
    low = data.draw(st.integers(0, len(text)))
    high = data.draw(st.integers(low, len(text)))
    ideal = data.draw(st.integers(low, high))
    for group in (*DEFAULT_ORDER, frozenset(DEFAULT_ORDER[0] | DEFAULT_ORDER[1])):
        place = nearest(text, low, high, ideal, group)
        assert place is None or (low <= place <= high and not is_inside(text, place))


@given(texts, st.data())
def test_the_nearest_boundary_is_the_nearest(text: str, data: st.DataObject) -> None:
    ideal = data.draw(st.integers(0, len(text)))
    for group in DEFAULT_ORDER:
        place = nearest(text, 0, len(text), ideal, group)
        if place is not None:
            distance = abs(place - ideal)
            low, high = max(0, ideal - distance + 1), min(len(text), ideal + distance - 1)
            assert nearest(text, low, high, ideal, group) is None


def test_a_text_of_marks_alone_is_cut_all_the_same() -> None:
    assert anywhere("\u0301" * 1_000, 1, 999, 500, 64) == 500


def test_carriage_return_and_line_feed_are_never_parted() -> None:
    assert anywhere("\r\n", 1, 1, 1, 64) is None
    assert anywhere("a\r\nb", 1, 3, 2, 2) == 1
