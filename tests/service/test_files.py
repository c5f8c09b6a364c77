"""Files of other formats: uploaded, or within a request; the same path, and the same refusals."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from banyan.client import AsyncClient
from banyan.spans import Span
from banyan.state import unpack
from banyan.task import Task
from tests.documents.files import encrypted_pdf, pdf
from tests.service.house import ASYNC, TEXT, House, assert_error, assert_problem
from tests.service.served import Served

PDF = "application/pdf"


def inline(data: bytes, media_type: str | None = None) -> dict[str, str]:
    """A document within a request."""
    encoded = {"data": base64.b64encode(data).decode()}
    return encoded | ({"media_type": media_type} if media_type else {})


def inputs_of(house: House) -> tuple[Span, ...]:
    """What the only solve is over."""
    [admission] = house.store.admitted
    return unpack(admission.task, Task).inputs


async def test_an_upload_tells_what_was_read(house: House) -> None:
    sent = pdf([[TEXT], []])
    reply = await house.http.post("/documents", content=sent, headers={"Content-Type": PDF})

    assert reply.status_code == 201, reply.text
    told = reply.json()
    assert (told["media_type"], told["num_pages"], told["num_pages_without_text"]) == (PDF, 2, 1)
    kept = (await house.http.get(f"/documents/{told['id']}/text")).text
    assert kept == f"{TEXT}\n\n"
    assert told["num_chars"] == len(kept)


async def test_the_same_text_is_one_document_whatever_it_was_sent_as(house: House) -> None:
    page = f"<!doctype html><body>{TEXT}"
    documents = [{"text": TEXT}, inline(page.encode()), inline(TEXT.encode("utf-16"), "text/plain")]
    await house.submit(documents=documents)
    document = await house.upload(TEXT)

    assert house.num_documents == 1
    assert [span.document for span in inputs_of(house)] == [document] * 3


@pytest.mark.parametrize(
    ("data", "media_type", "code"),
    [
        (encrypted_pdf(), None, "encrypted_document"),
        (pdf([[]]), PDF, "no_text"),
        (b"%PDF-1.4", None, "broken_document"),
        (b"PK\x03\x04", None, "unsupported_media_type"),
        (b"a", "application/msword", "unsupported_media_type"),
        (b"\x81\x8d\x8f\x90\x9d", "text/plain", "unknown_encoding"),
        (b"a\0b", "text/plain", "invalid_document"),
    ],
)
async def test_one_file_that_cannot_be_read_and_nothing_is_stored(
    house: House, data: bytes, media_type: str | None, code: str
) -> None:
    documents = [{"text": TEXT}, inline(b"fine"), inline(data, media_type)]
    reply = await house.http.post(
        "/solve", json={"goal": "Why?", "documents": documents}, headers=ASYNC
    )

    problem = assert_problem(reply, 422, code)
    assert problem["errors"][0]["field"] == "documents.2.data"
    house.assert_nothing_stored()


async def test_too_many_files_and_broken_base64_are_refused(house: House) -> None:
    for documents in (
        [inline(b"x")] * 17,
        [{"data": "no base64"}],
        [{"text": "a", **inline(b"x")}],
    ):
        reply = await house.http.post("/solve", json={"goal": "Why?", "documents": documents})
        assert_problem(reply, 422, "invalid_input")
    house.assert_nothing_stored()


async def test_a_file_in_a_chat_takes_the_same_path(house: House) -> None:
    body = {
        "model": "banyan",
        "messages": [{"role": "user", "content": "Why?"}],
        "documents": [inline(encrypted_pdf())],
    }
    reply = await house.http.post("/v1/chat/completions", json=body)

    assert_error(reply, 400, "encrypted_document")
    house.assert_nothing_stored()


async def test_a_compressed_body_is_refused(house: House) -> None:
    headers = {"Content-Type": "text/plain", "Content-Encoding": "gzip"}
    reply = await house.http.post("/documents", content=b"\x1f\x8b", headers=headers)

    assert_problem(reply, 415, "unsupported_media_type")
    house.assert_nothing_stored()


async def test_an_estimate_counts_the_bytes_of_files(house: House) -> None:
    async def planned(document: dict[str, str]) -> object:
        body = {"goal": "Why?", "window": 2048, "documents": [document]}
        reply = await house.http.post("/solve/estimate", json=body)
        assert reply.status_code == 200, reply.text
        return reply.json()

    assert await planned(inline(TEXT.encode())) == await planned({"text": TEXT})


async def test_the_client_uploads_a_pdf_among_the_documents(served: Served, tmp_path: Path) -> None:
    file = tmp_path / "contract.pdf"
    file.write_bytes(pdf([[TEXT]]))
    async with AsyncClient(served.url) as banyan:
        await banyan.submit("Why?", documents=[file])
        uploaded = await banyan.upload(file)

    [span] = inputs_of(served.house)
    assert (span.document, len(span)) == (uploaded.id, len(TEXT))
    assert (uploaded.title, uploaded.num_pages) == ("contract.pdf", 1)
