"""The text of a document can be read back, whole or from one code point to another."""

from __future__ import annotations

import pytest

from tests.service.house import TEXT, House, answered, assert_problem


async def test_the_text_comes_back_as_it_was_stored(house: House) -> None:
    text = "é 世界 \N{GRINNING FACE}\r\n" * 7_000
    document = await house.upload(text[:20_000])
    reply = await house.http.get(f"/documents/{document}/text")

    assert reply.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert reply.content == text[:20_000].encode()


async def test_a_citation_is_found_by_its_numbers(house: House) -> None:
    document = await house.upload(f"\N{GRINNING FACE}{TEXT}")
    solve = await house.submit(documents=[{"id": document}])
    await house.finish(solve, answered(document))
    [citation] = (await house.http.get(f"/solve/{solve}")).json()["citations"]
    place = {name: citation[name] for name in ("start", "end")}

    reply = await house.http.get(f"/documents/{document}/text", params=place)
    assert reply.text == citation["quote"]


async def test_a_text_of_several_blocks_is_whole(house: House) -> None:
    text = "".join(f"{number:06d} " for number in range(14_000))
    document = await house.upload(text)
    reply = await house.http.get(f"/documents/{document}/text?start=65530&end=65550")
    whole = await house.http.get(f"/documents/{document}/text")

    assert reply.text == text[65_530:65_550]
    assert whole.text == text


async def test_an_etag_spares_what_never_changes(house: House) -> None:
    path = f"/documents/{await house.upload()}/text"
    etag = (await house.http.get(path)).headers["ETag"]

    assert (await house.http.get(path, headers={"If-None-Match": etag})).status_code == 304
    part = await house.http.get(f"{path}?end=5", headers={"If-None-Match": etag})
    assert (part.status_code, part.text) == (200, TEXT[:5])


@pytest.mark.parametrize("query", ["start=5&end=4", "end=48", "start=48"])
async def test_a_place_outside_of_the_text_is_refused(house: House, query: str) -> None:
    path = f"/documents/{await house.upload()}/text"

    assert_problem(await house.http.get(f"{path}?{query}"), 422, "invalid_input")


async def test_a_text_that_is_not_there_is_not_found(house: House) -> None:
    assert_problem(await house.http.get(f"/documents/doc_{'0' * 32}/text"), 404, "not_found")
