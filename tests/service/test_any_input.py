"""Whatever JSON comes in: it is accepted, or refused with a problem, and never breaks anything."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from banyan.state import unpack
from banyan.task import Task
from service.settings import ServiceSettings
from tests.service.house import ASYNC, JSON, House, assert_problem

TEXTS = st.text(st.characters(codec=None), max_size=20)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | TEXTS | st.just("object")
KEYS = st.sampled_from(["type", "properties", "$ref", "pattern", "a", "id", "text"]) | TEXTS
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=10,
)
DOCUMENTS = st.lists(st.fixed_dictionaries({}, optional={"id": VALUES, "text": VALUES}), max_size=3)
LIMITS = st.fixed_dictionaries({}, optional={"max_depth": VALUES, "deadline_s": VALUES})
SCHEMAS = VALUES | st.fixed_dictionaries({"type": st.just("object"), "properties": VALUES})

BODIES = st.fixed_dictionaries(
    {"goal": TEXTS | VALUES},
    optional={
        "documents": DOCUMENTS | VALUES,
        "answer_schema": SCHEMAS,
        "limits": LIMITS | VALUES,
        "gate": VALUES,
        "state": VALUES,
        "policy": VALUES,
        "webhook": VALUES,
        "metadata": st.dictionaries(KEYS, VALUES, max_size=3),
    },
)


@settings(max_examples=150)
@given(body=BODIES | VALUES)
async def test_any_json_is_accepted_or_refused(body: Any) -> None:
    house = House(ServiceSettings())
    content = json.dumps(body).encode()
    async with house.http:
        reply = await house.http.post("/solve", content=content, headers={**JSON, **ASYNC})

        if reply.status_code == 202:
            [admission] = house.store.admitted
            assert unpack(admission.task, Task).goal == body["goal"].strip()
            node = await house.http.get(f"/solve/{reply.json()['id']}/nodes/0")
            assert node.status_code == 200, node.text
        else:
            assert reply.status_code in {400, 422}, reply.text
            assert_problem(reply, reply.status_code, reply.json()["code"])
            house.assert_nothing_stored()


REFUSED = {
    (415, "unsupported_media_type"),
    (422, "broken_document"),
    (422, "invalid_document"),
    (422, "no_text"),
    (422, "unknown_encoding"),
}


ENCODED = st.builds(
    lambda text, encoding: text.encode(encoding, "ignore"),
    st.text(max_size=60),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32", "utf-16-le", "cp1252", "shift_jis"]),
)


@settings(max_examples=60)
@given(content=st.binary(max_size=200) | ENCODED)
async def test_any_bytes_are_stored_as_the_text_that_they_are_or_refused(content: bytes) -> None:
    house = House(ServiceSettings())
    async with house.http:
        reply = await house.http.post(
            "/documents", content=content, headers={"Content-Type": "application/octet-stream"}
        )
        told = reply.json()
        if reply.status_code == 201:
            stored = (await house.http.get(f"/documents/{told['id']}/text")).content

    if reply.status_code == 201:
        text = content.decode(told["encoding"]).removeprefix("\ufeff")
        assert stored.decode() == text
        assert (told["num_chars"], told["num_bytes"]) == (len(text), len(stored))
    else:
        refused = (reply.status_code, told["code"])
        assert refused in REFUSED
        assert_problem(reply, *refused)
        house.assert_nothing_stored()
