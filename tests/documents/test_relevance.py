from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from banyan.adapters.memory_library import MemoryLibrary
from banyan.documents import records
from banyan.layouts import PROSE
from banyan.spans import Span
from tests.growing import TENANT, Grower

NEEDLE = "The lighthouse keeper hid the amber key under the third step. "
FILLER = "Rain fell on the town and nobody spoke of it for a long while. "


async def shelved(text: str) -> tuple[MemoryLibrary, Span]:
    grower = Grower()
    span = await grower.put(text)
    return grower.library, span


@pytest.mark.parametrize("before", [0, 700, 12_000])
async def test_the_place_that_holds_the_goals_words_is_found(before: int) -> None:
    library, span = await shelved(FILLER * before + NEEDLE + FILLER * 900)
    near = await library.nearest(TENANT, [span], "Where is the amber key?", 2_000)
    assert near.share == 1.0
    [passage] = [p for p in near.passages if "amber key" in p.text]
    [source] = passage.sources
    assert passage.text == await library.text(TENANT, source)


async def test_words_that_stand_nowhere_lower_the_share() -> None:
    library, span = await shelved(FILLER * 200 + NEEDLE + FILLER * 200)
    near = await library.nearest(TENANT, [span], "What did the captain say about the key?", 2_000)
    assert 0 < near.share < 0.7
    near = await library.nearest(TENANT, [span], "Summarise what is said about the key", 2_000)
    assert 0 < near.share < 0.7
    nothing = await library.nearest(TENANT, [span], "Summarise everything, please", 2_000)
    assert nothing.share == 0.0
    assert nothing.passages == ()


async def test_the_words_of_a_header_are_not_found_in_any_record() -> None:
    header = "Each line below is an amber key, a brass key or an iron key; count them.\n\n"
    lines = "".join(f"User: {n} || it turned once and never again\n" for n in range(400))
    library, span = await shelved(header + lines)
    near = await library.nearest(TENANT, [span], "Is an amber key or an iron key there?", 2_000)
    assert near.share == 0.0
    library, span = await shelved(f"{header}{lines}User: 7 || the amber key, the iron key\n")
    near = await library.nearest(TENANT, [span], "Is an amber key or an iron key there?", 2_000)
    assert near.share == 1.0


@pytest.mark.parametrize(
    "goal", ["What are the main points of this document?", "Summarize the whole story."]
)
async def test_a_goal_about_the_whole_text_is_found_nowhere_in_it(goal: str) -> None:
    library, span = await shelved("The main point of this document is a whole story. " * 50)
    near = await library.nearest(TENANT, [span], goal, 2_000)
    assert (near.share, near.passages) == (0.0, ())


async def test_a_goal_without_telling_words_finds_nothing() -> None:
    library, span = await shelved(NEEDLE)
    assert (await library.nearest(TENANT, [span], "What was it?", 500)).share == 0.0


async def test_plurals_and_case_are_looked_through_but_not_parts_of_words() -> None:
    library, span = await shelved("Keys were sold. " + "A monkey slept. " * 40)
    near = await library.nearest(TENANT, [span], "the KEY", 2_000)
    assert [p.text.count("monkey") for p in near.passages if "Keys" in p.text]
    assert all("Keys" in passage.text for passage in near.passages)


@given(
    st.lists(st.sampled_from([NEEDLE, FILLER, "\n\n", "Key. ", "été amber "]), max_size=300),
    st.integers(0, 3_000),
)
async def test_places_are_disjoint_in_order_and_stand_in_the_input(
    pieces: list[str], max_chars: int
) -> None:
    text = "".join(pieces)
    library, span = await shelved(text)
    near = await library.nearest(TENANT, [span], "amber key under the step", max_chars)
    assert 0.0 <= near.share <= 1.0
    end = 0
    for passage in near.passages:
        [source] = passage.sources
        assert end <= source.start < source.end <= len(text)
        assert text[source.start : source.end] == passage.text
        end = source.end


@given(st.text(alphabet=st.sampled_from("ab \n\r\u2028"), max_size=120), st.integers(0, 50))
def test_records_are_the_lines_that_say_something(text: str, start: int) -> None:
    span = Span(document="doc", start=start, end=start + len(text))
    found = records(text, span, PROSE)
    assert "".join(passage.text for passage in found).split() == text.split()
    for passage in found:
        [source] = passage.sources
        assert passage.text == text[source.start - start : source.end - start]
        assert passage.text.strip()
        assert "\n" not in passage.text.strip("\r\n\u2028")
