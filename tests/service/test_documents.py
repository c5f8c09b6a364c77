from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from banyan.node import Passage
from banyan.spans import Span
from tests.documents.texts import unheard
from tests.service.house import ASYNC, TEXT, House, assert_problem, text_plain


async def test_an_upload_counts_code_points_and_bytes(house: House) -> None:
    reply = await house.http.post(
        "/documents", content="héllo 🌳", params={"title": "Tree"}, headers=text_plain()
    )

    assert reply.status_code == 201
    assert (reply.json()["num_chars"], reply.json()["num_bytes"]) == (7, 11)
    assert reply.json()["title"] == "Tree"
    facts = (await house.http.get(f"/documents/{reply.json()['id']}")).json()
    assert facts.items() <= reply.json().items()


async def test_the_same_text_is_stored_once(house: House) -> None:
    assert await house.upload() == await house.upload()
    assert house.num_documents == 1


async def test_a_text_in_a_request_is_the_same_document_as_an_upload(house: House) -> None:
    document = await house.upload()
    await house.submit(documents=[{"text": TEXT}, {"id": document}])

    assert house.num_documents == 1


async def test_a_body_may_come_in_pieces_that_cut_characters(house: House) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for byte in "🌳é".encode():
            yield bytes([byte])

    reply = await house.http.post("/documents", content=pieces(), headers=text_plain())

    assert (reply.json()["num_chars"], reply.json()["num_bytes"]) == (2, 6)


@pytest.mark.parametrize(
    "kind", ["text/plain", "text/markdown; charset=UTF-8", "application/octet-stream"]
)
async def test_texts_of_these_types_are_taken(house: House, kind: str) -> None:
    reply = await house.http.post("/documents", content=TEXT, headers={"Content-Type": kind})

    assert reply.status_code == 201


async def test_an_empty_document_is_a_document(house: House) -> None:
    reply = await house.http.post("/documents", content="", headers=text_plain())

    assert (reply.status_code, reply.json()["num_chars"]) == (201, 0)


async def test_what_a_tree_derives_is_no_ones_document(house: House) -> None:
    source = Span(document=await house.upload(), start=0, end=5)
    passage = Passage(text="derived", sources=(source,), covered=(source,))
    span = await house.library.derive("default", "solve_1:0", [passage], announce=unheard)
    derived = span.document
    reply = await house.http.post(
        "/solve", json={"goal": "Why?", "documents": [{"id": derived}]}, headers=ASYNC
    )

    assert_problem(reply, 422, "unknown_document")
    assert_problem(await house.http.get(f"/documents/{derived}"), 404, "not_found")


async def test_a_document_is_deleted_for_good_and_as_often_as_one_likes(house: House) -> None:
    document = await house.upload()
    for _ in range(2):
        assert (await house.http.delete(f"/documents/{document}")).status_code == 204

    assert_problem(await house.http.get(f"/documents/{document}"), 404, "not_found")
    assert_problem(await house.http.get(f"/documents/{document}/text"), 404, "not_found")
    refused = await house.http.post(
        "/solve", json={"goal": "Why?", "documents": [{"id": document}]}, headers=ASYNC
    )
    assert_problem(refused, 422, "unknown_document")
    assert await house.upload() == document


async def test_what_cannot_be_a_documents_id_is_not_found(house: House) -> None:
    assert_problem(await house.http.delete("/documents/doc_1"), 404, "not_found")
