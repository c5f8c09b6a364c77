"""Whatever is wrong with a request: a problem says what to do, and nothing was stored."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.service.house import ASYNC, JSON, TEXT, House, assert_problem, text_plain

UNKNOWN = "solve_" + "0" * 28
CONFIDENTIAL = "the secret text of a document"


def nested(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(levels):
        value = {"a": value}
    return value


BAD_BODIES: dict[str, tuple[dict[str, Any], str]] = {
    "unknown field": ({"colour": "red"}, "colour"),
    "unknown field in limits": ({"limits": {"max_width": 1}}, "limits.max_width"),
    "unknown field in a document": ({"documents": [{"text": "a", "x": 1}]}, "documents.0.x"),
    "no goal": ({"goal": None}, "goal"),
    "empty goal": ({"goal": ""}, "goal"),
    "blank goal": ({"goal": " \n\t "}, "goal"),
    "long goal": ({"goal": "a" * 20_001}, "goal"),
    "goal that is no text": ({"goal": 7}, "goal"),
    "negative depth": ({"limits": {"max_depth": -1}}, "limits.max_depth"),
    "no nodes": ({"limits": {"max_nodes": 0}}, "limits.max_nodes"),
    "too few tokens": ({"limits": {"max_tokens": 1}}, "limits.max_tokens"),
    "too parallel": ({"limits": {"max_parallel": 10_001}}, "limits.max_parallel"),
    "endless deadline": ({"limits": {"deadline_s": 1e9}}, "limits.deadline_s"),
    "unknown gate": ({"gate": {"mode": "perhaps"}}, "gate.mode"),
    "state in no known form": ({"state": "telepathy"}, "state"),
    "agents and nobody who choose": ({"policies": ["base"], "leaves": "base"}, "leaves"),
    "money that is less than nothing": ({"limits": {"max_cost_usd": -1}}, "limits.max_cost_usd"),
    "webhook that is no object": ({"webhook": "https://example.org"}, "webhook"),
    "webhook of an unknown event": (
        {"webhook": {"url": "https://example.org", "events": ["solve.begun"]}},
        "webhook.events.0",
    ),
    "document without id and text": ({"documents": [{}]}, "documents.0"),
    "document with both": ({"documents": [{"id": "doc_1", "text": "a"}]}, "documents.0"),
    "too many documents": ({"documents": [{"text": "a"}] * 1_001}, "documents"),
    "schema that is no object": ({"answer_schema": [1]}, "answer_schema"),
    "metadata that is no object": ({"metadata": "a"}, "metadata"),
}


@pytest.mark.parametrize("case", BAD_BODIES)
async def test_a_body_of_the_wrong_shape_names_the_field(house: House, case: str) -> None:
    changes, field = BAD_BODIES[case]
    reply = await house.http.post("/solve", json={"goal": "Why?", **changes}, headers=ASYNC)

    problem = assert_problem(reply, 422, "invalid_input")
    assert field in [error["field"] for error in problem["errors"]]
    house.assert_nothing_stored()


BAD_VALUES: dict[str, tuple[str, str]] = {
    "NaN": ('{"goal": "a", "metadata": {"x": NaN}}', "invalid_input"),
    "infinity": ('{"goal": "a", "gate": {"threshold": Infinity}}', "invalid_input"),
    "huge integer": (f'{{"goal": "a", "metadata": {{"x": 1{"0" * 30}}}}}', "invalid_input"),
    "half a surrogate pair": ('{"goal": "a\\ud800"}', "invalid_input"),
    "half a pair in metadata": ('{"goal": "a", "metadata": {"x": "\\udc00"}}', "invalid_input"),
    "NUL in the goal": ('{"goal": "a\\u0000"}', "invalid_input"),
    "deep metadata": (json.dumps({"goal": "a", "metadata": nested(80)}), "invalid_input"),
    "large metadata": (json.dumps({"goal": "a", "metadata": {"x": "y" * 17_000}}), "invalid_input"),
    "NUL in a text": ('{"goal": "a", "documents": [{"text": "\\u0000"}]}', "invalid_document"),
    "no schema": ('{"goal": "a", "answer_schema": {"type": "thing"}}', "invalid_schema"),
}


@pytest.mark.parametrize("case", BAD_VALUES)
async def test_a_value_that_cannot_be_kept_is_refused(house: House, case: str) -> None:
    body, code = BAD_VALUES[case]
    reply = await house.http.post("/solve", content=body, headers={**JSON, **ASYNC})

    assert_problem(reply, 422, code)
    house.assert_nothing_stored()


@pytest.mark.parametrize("body", ["{", "", "[1,", '{"goal": "a"', "\xff", "[" * 100_000])
async def test_a_body_that_is_no_json_is_refused(house: House, body: str) -> None:
    reply = await house.http.post("/solve", content=body.encode("latin-1"), headers=JSON)

    assert reply.status_code in {400, 422}
    assert_problem(reply, reply.status_code, reply.json()["code"])
    house.assert_nothing_stored()


async def test_a_body_of_another_type_is_refused(house: House) -> None:
    reply = await house.http.post(
        "/solve", content='{"goal": "a"}', headers={"Content-Type": "application/xml"}
    )

    problem = assert_problem(reply, 422, "invalid_input")
    assert problem["detail"] == "body: Input should be a JSON object"
    assert "Content-Type: application/json" in problem["hint"]
    house.assert_nothing_stored()


async def test_a_document_that_is_not_there_is_named_before_anything_is_stored(
    house: House,
) -> None:
    reply = await house.http.post(
        "/solve",
        json={"goal": "Why?", "documents": [{"text": TEXT}, {"id": "doc_" + "0" * 32}]},
        headers=ASYNC,
    )

    problem = assert_problem(reply, 422, "unknown_document")
    assert problem["errors"][0]["field"] == "documents.1.id"
    house.assert_nothing_stored()


async def test_a_bad_text_behind_a_good_one_leaves_nothing_stored(house: House) -> None:
    reply = await house.http.post(
        "/solve",
        json={"goal": "Why?", "documents": [{"text": TEXT}, {"text": "a\0b"}]},
        headers=ASYNC,
    )

    assert_problem(reply, 422, "invalid_document")
    house.assert_nothing_stored()


async def test_problems_never_repeat_what_was_sent(house: House) -> None:
    body = {
        "goal": "Why?",
        "documents": [{"text": CONFIDENTIAL, "id": CONFIDENTIAL}],
        "limits": CONFIDENTIAL,
    }
    reply = await house.http.post("/solve", json=body)

    assert reply.status_code == 422
    assert CONFIDENTIAL not in reply.text


async def test_a_long_list_of_mistakes_is_cut(house: House) -> None:
    body = {"goal": "Why?", **{f"field{index}": 1 for index in range(500)}}
    reply = await house.http.post("/solve", json=body)

    assert len(assert_problem(reply, 422, "invalid_input")["errors"]) == 20


async def test_a_body_that_announces_too_much_is_refused(house: House) -> None:
    body = {"goal": "Why?", "documents": [{"text": "a" * 200_000}]}
    reply = await house.http.post("/solve", json=body)

    assert_problem(reply, 413, "body_too_large")
    house.assert_nothing_stored()


async def test_a_body_that_grows_too_large_is_refused_while_it_is_read(house: House) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 10_000
            yield b" " * 10_000

    reply = await house.http.post("/solve", content=endless(), headers=JSON)

    assert_problem(reply, 413, "body_too_large")
    assert sent <= house.settings.max_body_bytes + 20_000
    house.assert_nothing_stored()


async def test_a_document_that_grows_too_large_is_refused_while_it_is_read(house: House) -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"a" * 10_000

    reply = await house.http.post("/documents", content=endless(), headers=text_plain())

    assert_problem(reply, 413, "body_too_large")
    house.assert_nothing_stored()


@pytest.mark.parametrize(
    ("content", "kind", "status", "code"),
    [
        (b"\xff\xfe\x00", "text/plain", 422, "unknown_encoding"),
        (b"a\0b", "text/plain", 422, "invalid_document"),
        (b"ros\xc3", "application/octet-stream", 422, "unknown_encoding"),
        (b"\x81\x8d\x8f\x90\x9d", "text/plain", 422, "unknown_encoding"),
        (b"r\xc3", "text/plain; charset=utf-8", 422, "invalid_document"),
        (b"a", "text/plain; charset=no-such", 422, "unknown_encoding"),
        (b"%PDF", "application/pdf", 422, "broken_document"),
        (b"%PDF-1.4", "text/plain", 415, "unsupported_media_type"),
        (b"PK\x03\x04", "application/octet-stream", 415, "unsupported_media_type"),
        (b"a", "application/msword", 415, "unsupported_media_type"),
        (b"<p></p>", "text/html", 422, "no_text"),
        (b"a=b", "application/x-www-form-urlencoded", 415, "unsupported_media_type"),
    ],
)
async def test_a_document_that_is_no_text_is_refused(
    house: House, content: bytes, kind: str, status: int, code: str
) -> None:
    reply = await house.http.post("/documents", content=content, headers={"Content-Type": kind})

    assert_problem(reply, status, code)
    house.assert_nothing_stored()


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", f"/solve/{UNKNOWN}"),
        ("POST", f"/solve/{UNKNOWN}/cancel"),
        ("GET", f"/solve/{UNKNOWN}/events"),
        ("GET", f"/solve/{UNKNOWN}/tree"),
        ("GET", f"/solve/{UNKNOWN}/nodes/0"),
        ("GET", "/solve/nonsense"),
        ("GET", "/solve/solve_" + "f" * 28),
        ("GET", "/documents/doc_" + "0" * 32),
        ("GET", "/documents/..%2F..%2Fetc%2Fpasswd"),
        ("GET", "/documents/nonsense"),
        ("GET", "/nowhere"),
        ("GET", "/healthz/"),
    ],
)
async def test_what_is_not_there_is_not_found(house: House, method: str, path: str) -> None:
    assert_problem(await house.http.request(method, path), 404, "not_found")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/solve", "POST"),
        ("DELETE", "/documents", "POST"),
        ("POST", "/healthz", "GET"),
        ("GET", f"/solve/{UNKNOWN}/cancel", "POST"),
    ],
)
async def test_a_wrong_method_is_told_the_right_one(
    house: House, method: str, path: str, allowed: str
) -> None:
    reply = await house.http.request(method, path)

    assert_problem(reply, 405, "method_not_allowed")
    assert reply.headers["Allow"] == allowed


@pytest.mark.parametrize(
    "headers",
    [
        {"Prefer": "wait=soon"},
        {"Prefer": "wait=-1"},
        {"Prefer": "wait"},
        {"Idempotency-Key": ""},
        {"Idempotency-Key": "a" * 256},
    ],
)
async def test_a_header_that_makes_no_sense_is_refused(
    house: House, headers: dict[str, str]
) -> None:
    reply = await house.http.post("/solve", json={"goal": "Why?"}, headers=headers)

    assert_problem(reply, 400, "invalid_header")
    house.assert_nothing_stored()


async def test_another_tenants_solve_is_not_found(house: House) -> None:
    solve = await house.submit()
    [admission] = house.store.admitted
    tree = house.store._forest.trees[solve]
    tree.admission = type(admission)(
        tree_id=solve,
        tenant="other",
        task=admission.task,
        root=admission.root,
        budget=admission.budget,
        max_parallel=admission.max_parallel,
        deadline_s=admission.deadline_s,
        fingerprint=admission.fingerprint,
    )

    assert_problem(await house.http.get(f"/solve/{solve}"), 404, "not_found")


async def test_a_store_that_is_away_is_told_as_such_without_its_address(house: House) -> None:
    house.store.away = True
    reply = await house.http.post("/solve", json={"goal": "Why?"}, headers=ASYNC)

    assert_problem(reply, 503, "store_unavailable")
    assert reply.headers["Retry-After"]
    assert "secret-host" not in reply.text


async def test_an_error_that_nobody_foresaw_is_a_problem_without_details(house: House) -> None:
    solve = await house.submit()
    house.store._forest.trees[solve].admission = None  # type: ignore[assignment]
    reply: httpx.Response = await house.http.get(f"/solve/{solve}")

    assert_problem(reply, 500, "internal_error")
    assert "NoneType" not in reply.text


async def test_a_policy_that_is_not_served_is_named_before_anything_is_stored(
    house: House,
) -> None:
    body = {"goal": "Why?", "policy": "v7", "documents": [{"text": "A text."}]}
    reply = await house.http.post("/solve", json=body, headers=ASYNC)

    problem = assert_problem(reply, 422, "unknown_policy")
    assert problem["errors"][0]["field"] == "policy"
    house.assert_nothing_stored()
