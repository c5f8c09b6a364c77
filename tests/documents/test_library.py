"""What every library does: one suite for the real one and its twin."""

from __future__ import annotations

import re
from typing import Any

import pytest

from banyan.errors import InvalidDocument, InvalidInput, NotFound, StaleLease
from banyan.node import Passage
from banyan.ports import DocumentInfo, Library
from banyan.selection import Named, Query
from banyan.spans import Span
from tests.documents.conftest import MAX_BYTES, MakeLibrary
from tests.documents.texts import chunked, unheard

# Three and more blocks of 16,384 code points of one to four bytes each.
LONG = "".join(f"Line {n}: äöü €uro 日本 😀 e\u0301.\r\n" for n in range(2_000))


async def put(library: Library, text: str | bytes, tenant: str = "t") -> DocumentInfo:
    return await library.put(tenant, chunked(text.encode() if isinstance(text, str) else text, 7))


def whole_of(info: DocumentInfo) -> Span:
    return Span(document=info.id, start=0, end=info.num_chars)


async def put_whole(library: Library, text: str) -> Span:
    info = await put(library, text)
    return Span(document=info.id, start=0, end=info.num_chars)


async def test_a_document_is_read_back_by_code_points(library: Library) -> None:
    whole = await put_whole(library, LONG)
    assert await library.text("t", whole) == LONG
    for start, end in [(0, 1), (16_383, 16_385), (16_384, 32_768), (10, 40_000), (5, 5)]:
        span = Span(document=whole.document, start=start, end=end)
        assert await library.text("t", span) == LONG[start:end]


async def test_info_tells_sizes_and_title(library: Library) -> None:
    stored = await library.put("t", chunked(LONG.encode()), title="Lines")
    assert stored == await library.info("t", stored.id)
    assert (stored.num_chars, stored.num_bytes) == (len(LONG), len(LONG.encode()))
    assert (stored.title, stored.derived) == ("Lines", False)
    assert re.fullmatch(r"doc_[0-9a-f]{32}", stored.id)


async def test_the_same_text_is_one_document_with_its_first_title(library: Library) -> None:
    first = await library.put("t", chunked(b"same text", 2), title="first")
    assert await library.put("t", chunked(b"same text"), title="second") == first


async def test_a_document_that_was_removed_is_gone_until_it_is_sent_again(library: Library) -> None:
    whole = await put_whole(library, LONG)
    assert await library.text("t", whole) == LONG
    assert await library.remove("t", whole.document)
    assert not await library.remove("t", whole.document)
    with pytest.raises(NotFound):
        await library.info("t", whole.document)
    with pytest.raises(NotFound):
        await library.text("t", whole)
    assert await put_whole(library, LONG) == whole
    assert await library.text("t", whole) == LONG


async def test_nobody_removes_what_is_another_tenants_or_was_derived(library: Library) -> None:
    mine = await put(library, "text", "a")
    passages = await library.passages("a", whole_of(mine))
    derived = await library.derive("a", "joined", passages, announce=unheard)
    assert not await library.remove("b", mine.id)
    assert not await library.remove("a", derived.document)
    assert await library.text("a", whole_of(mine)) == "text"
    assert (await library.info("a", derived.document)).derived
    with pytest.raises(NotFound):
        await library.remove("a", "../x")


async def test_tenants_do_not_see_each_other(library: Library) -> None:
    mine, other = await put(library, "text", "a"), await put(library, "text", "b")
    assert mine.id != other.id
    with pytest.raises(NotFound):
        await library.info("b", mine.id)
    with pytest.raises(NotFound):
        await library.text("b", Span(document=mine.id, start=0, end=1))


@pytest.mark.parametrize(
    "identifier",
    [
        "",
        "doc_",
        "doc_" + "0" * 32,
        "../../etc/passwd",
        "doc_" + "0" * 32 + "/..",
        "doc_" + "A" * 32,
    ],
)
async def test_unknown_and_impossible_ids_are_not_found(library: Library, identifier: str) -> None:
    span = Span(document=identifier, start=0, end=0)
    with pytest.raises(NotFound):
        await library.info("t", identifier)
    with pytest.raises(NotFound):
        await library.text("t", span)
    with pytest.raises(NotFound):
        await library.split("t", [span], 2, None)
    with pytest.raises(NotFound):
        await library.search("t", [span], "x", regex=False, limit=1)
    with pytest.raises(NotFound):
        await library.passages("t", span)


async def test_an_empty_document_is_a_document(library: Library) -> None:
    whole = await put_whole(library, "")
    assert await library.text("t", whole) == ""
    assert await library.passages("t", whole) == ()
    assert await library.split("t", [whole], 4, None) == []
    assert await library.search("t", [whole], "x", regex=False, limit=3) == ()


async def test_a_byte_order_mark_is_no_text_and_newlines_stay(library: Library) -> None:
    whole = await put_whole(library, "\ufeffa\r\nb\rc\ufeff\n")
    assert await library.text("t", whole) == "a\r\nb\rc\ufeff\n"
    assert whole == await put_whole(library, "a\r\nb\rc\ufeff\n")


@pytest.mark.parametrize(
    "data",
    [
        b"latin \xe9 one",
        b"cut off \xe2\x82",
        b"nul \x00 inside",
        b"surrogate \xed\xa0\x80",
        b"overlong \xc0\xaf",
        b"x" * (MAX_BYTES + 1),
        "ä".encode() * (MAX_BYTES // 2) + b"x",
    ],
)
async def test_what_is_no_text_is_refused_and_nothing_stored(library: Library, data: bytes) -> None:
    with pytest.raises(InvalidDocument):
        await library.put("t", chunked(data))


async def test_a_document_may_be_as_large_as_the_limit(make_library: MakeLibrary) -> None:
    library = make_library(max_bytes=10)
    assert (await put(library, "\ufeff" + "ä" * 5)).num_bytes == 10
    with pytest.raises(InvalidDocument, match="10 bytes"):
        await put(library, "ä" * 5 + "x")


async def test_a_span_that_leaves_its_document_is_refused(library: Library) -> None:
    whole = await put_whole(library, "ten chars.")
    beyond = Span(document=whole.document, start=3, end=11)
    with pytest.raises(InvalidInput, match="10 characters"):
        await library.text("t", beyond)
    with pytest.raises(InvalidInput, match="10 characters"):
        await library.split("t", [whole, beyond], 2, None)


async def test_passages_are_the_text_and_know_where_it_is(library: Library) -> None:
    whole = await put_whole(library, LONG)
    span = Span(document=whole.document, start=16_000, end=18_000)
    passages = await library.passages("t", span)
    assert "".join(passage.text for passage in passages) == LONG[16_000:18_000]
    for passage in passages:
        assert await library.text("t", passage.sources[0]) == passage.text


async def test_a_split_covers_the_inputs_at_line_ends(library: Library) -> None:
    long = await put_whole(library, LONG)
    short = await put_whole(library, "A short one.\n" * 40)
    parts = await library.split("t", [long, short], 5, "line")
    assert len(parts) == 5
    texts = ["".join([await library.text("t", span) for span in part.spans]) for part in parts]
    assert "".join(texts) == LONG + "A short one.\n" * 40
    assert all(text.endswith("\n") for text in texts)


@pytest.mark.parametrize(("parts", "by"), [(0, None), (10**9, None), (2, "page")])
async def test_an_impossible_split_is_refused(library: Library, parts: int, by: Any) -> None:
    whole = await put_whole(library, "some text")
    with pytest.raises(InvalidInput):
        await library.split("t", [whole], parts, by)


def passage(text: str, start: int) -> Passage:
    return Passage(
        text=text,
        sources=(Span(document="doc_x", start=start, end=start + 5),),
        covered=(Span(document="doc_x", start=0, end=start + 50),),
    )


RESULTS = [passage("First result.", 0), passage("", 5), passage("Second\nresult.", 10)]


async def test_a_derived_document_gives_its_passages_back(library: Library) -> None:
    span = await library.derive("t", "tree:0:3", RESULTS, announce=unheard)
    assert await library.text("t", span) == "First result.\n\nSecond\nresult."
    assert await library.passages("t", span) == (RESULTS[0], RESULTS[2])
    assert (await library.info("t", span.document)).derived


async def test_deriving_is_repeatable_and_other_results_are_another_document(
    library: Library,
) -> None:
    span = await library.derive("t", "tree:0:3", RESULTS, announce=unheard)
    assert await library.derive("t", "tree:0:3", RESULTS, announce=unheard) == span
    moved = [*RESULTS[:2], passage("Second\nresult.", 11)]
    others = [
        await library.derive("t", "tree:0:4", RESULTS, announce=unheard),
        await library.derive("u", "tree:0:3", RESULTS, announce=unheard),
        await library.derive("t", "tree:0:3", RESULTS[:1], announce=unheard),
        await library.derive("t", "tree:0:3", moved, announce=unheard),
    ]
    assert len({span.document, *(other.document for other in others)}) == 5
    assert await library.passages("t", span) == (RESULTS[0], RESULTS[2])


async def test_a_derived_text_is_never_taken_for_an_upload(library: Library) -> None:
    span = await library.derive("t", "n", RESULTS, announce=unheard)
    uploaded = await put_whole(library, await library.text("t", span))
    assert uploaded.document != span.document
    assert not (await library.info("t", uploaded.document)).derived


async def test_part_of_a_derived_document_shows_no_more_than_that(library: Library) -> None:
    span = await library.derive("t", "n", RESULTS, announce=unheard)
    cut = Span(document=span.document, start=6, end=21)
    assert await library.passages("t", cut) == (
        RESULTS[0].model_copy(update={"text": "result."}),
        RESULTS[2].model_copy(update={"text": "Second"}),
    )


async def test_a_derived_document_is_split_between_its_passages(library: Library) -> None:
    results = [passage(f"Result {n:02}. " * 12, n) for n in range(40)]
    span = await library.derive("t", "n", results, announce=unheard)
    parts = await library.split("t", [span], 4, "sentence")
    shown = [await library.passages("t", part.spans[0]) for part in parts]
    assert [len(part) for part in shown] == [10, 10, 10, 10]
    assert [one for part in shown for one in part] == results


async def test_an_empty_derivation_is_an_empty_document(library: Library) -> None:
    span = await library.derive("t", "n", [], announce=unheard)
    assert len(span) == 0
    assert await library.passages("t", span) == ()


async def test_a_derived_document_is_announced_before_any_of_it_is_stored(library: Library) -> None:
    heard: list[str] = []

    async def refuse(document: str) -> None:
        heard.append(document)
        raise StaleLease("the tree is gone")

    with pytest.raises(StaleLease):
        await library.derive("t", "n", RESULTS, announce=refuse)
    [announced] = heard
    with pytest.raises(NotFound):
        await library.info("t", announced)
    assert (await library.derive("t", "n", RESULTS, announce=unheard)).document == announced


async def test_a_derived_document_is_forgotten_and_nothing_else_is(library: Library) -> None:
    span = await library.derive("a", "n", RESULTS, announce=unheard)
    uploaded = await put(library, "text", "a")
    assert await library.text("a", span)
    assert not await library.forget("a", uploaded.id)
    assert not await library.forget("b", span.document)
    assert await library.forget("a", span.document)
    assert not await library.forget("a", span.document)
    with pytest.raises(NotFound):
        await library.passages("a", span)
    assert await library.text("a", whole_of(uploaded)) == "text"
    assert await library.derive("a", "n", RESULTS, announce=unheard) == span


BOUGHT = "What was bought:\n\n" + "".join(
    f"User: {n % 9} || Thing: number {n}\n" for n in range(4_000)
)


async def test_records_are_named_chosen_and_counted_by_their_fields(library: Library) -> None:
    whole = await put_whole(library, BOUGHT)
    assert await library.named("t", [whole], "Which user bought it?") == (
        Named("User", (), counts=True),
    )
    chosen = await library.select("t", [whole], Query({"User": ["3"]}))
    assert len(chosen.records) == chosen.num_selected == 445
    for passage in chosen.records:
        [span] = passage.sources
        assert await library.text("t", span) == passage.text
    counted = await library.select("t", [whole], Query({}, "User"))
    assert counted.counts == {str(n): 445 if n < 4 else 444 for n in range(9)}
    with pytest.raises(InvalidInput, match="Colour"):
        await library.select("t", [whole], Query({"Colour": ["red"]}))


async def test_chosen_records_are_a_document_without_a_layout_of_its_own(library: Library) -> None:
    whole = await put_whole(library, BOUGHT)
    chosen = await library.select("t", [whole], Query({"User": ["3"]}))
    derived = await library.derive("t", "name", chosen.records, announce=unheard)
    assert (await library.layout("t", derived.document)).kind == "prose"
    assert await library.passages("t", derived) == chosen.records
    assert await library.named("t", [derived], "Which user bought it?") == ()
    parts = await library.split("t", [derived], 7, "record")
    assert len(parts) == 7
    passages = [one for part in parts for one in await library.passages("t", part.spans[0])]
    assert tuple(passages) == chosen.records


async def test_fields_of_another_tenants_document_are_not_told(library: Library) -> None:
    whole = await put_whole(library, BOUGHT)
    with pytest.raises(NotFound):
        await library.named("other", [whole], "Which user bought it?")
    with pytest.raises(NotFound):
        await library.select("other", [whole], Query({"User": ["3"]}))
