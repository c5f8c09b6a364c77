"""What cannot be done is refused by name, in OpenAI's shape, and nothing is stored."""

from __future__ import annotations

from typing import Any

import openai
import pytest

from banyan.state import unpack
from banyan.task import Task
from service.settings import ServiceSettings
from tests.service.house import House, assert_error
from tests.service.served import Served

CHAT: dict[str, Any] = {"model": "banyan", "messages": [{"role": "user", "content": "Why?"}]}
TOOL = {"type": "function", "function": {"name": "look", "parameters": {}}}
IMAGE = {"type": "image_url", "image_url": {"url": "https://images.example/1.png"}}


@pytest.mark.parametrize(
    ("changes", "param", "code"),
    [
        ({"n": 2}, "n", "unsupported_value"),
        ({"temperature": 0.7}, "temperature", "unsupported_value"),
        ({"top_p": 0.5}, "top_p", "unsupported_value"),
        ({"frequency_penalty": 1}, "frequency_penalty", "unsupported_value"),
        ({"tools": [TOOL]}, "tools", "unsupported_value"),
        ({"logprobs": True}, "logprobs", "unsupported_value"),
        ({"store": True}, "store", "unsupported_value"),
        ({"colour": "red"}, "colour", "unknown_parameter"),
        ({"limits": {"max_depth": 99}}, "limits.max_depth", "invalid_input"),
        ({"stop": [""]}, "stop", "invalid_input"),
        ({"messages": []}, "messages", "invalid_input"),
        ({"messages": [{"role": "user", "content": [IMAGE]}]}, None, "invalid_input"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages.0.role", "invalid_input"),
        (
            {"messages": [{"role": "assistant", "content": "x"}]},
            "messages",
            "last_message_not_user",
        ),
        ({"messages": [{"role": "user", "content": "x" * 3_000}]}, "messages", "nothing_asked"),
        ({"documents": [{"id": "doc_1"}]}, "documents.0.id", "unknown_document"),
        ({"metadata": {"banyan.facade": "x"}}, "metadata", "reserved_key"),
        (
            {
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {"schema": {"type": "array"}},
                }
            },
            None,
            "invalid_schema",
        ),
    ],
    ids=str,
)
async def test_chat_refuses(
    house: House, changes: dict[str, Any], param: str | None, code: str
) -> None:
    reply = await house.http.post("/v1/chat/completions", json={**CHAT, **changes})

    assert_error(reply, 400, code, param)
    house.assert_nothing_stored()


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"store": False}, "store"),
        ({"previous_response_id": "resp_1"}, "previous_response_id"),
        ({"conversation": "conv_1"}, "conversation"),
        ({"reasoning": {"effort": "high"}}, "reasoning"),
        ({"include": ["reasoning.encrypted_content"]}, "include"),
        ({"tools": [{"type": "web_search"}]}, "tools"),
    ],
    ids=str,
)
async def test_responses_refuse(house: House, changes: dict[str, Any], param: str) -> None:
    reply = await house.http.post(
        "/v1/responses", json={"model": "banyan", "input": "Why?", **changes}
    )

    assert_error(reply, 400, "unsupported_value", param)
    house.assert_nothing_stored()


async def test_an_unknown_model_is_not_found(client: openai.AsyncOpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as raised:
        await client.chat.completions.create(**{**CHAT, "model": "gpt-x"})

    assert (raised.value.code, raised.value.param) == ("model_not_found", "model")


async def test_values_that_ask_for_nothing_are_taken(served: Served) -> None:
    neutral = {
        "n": 1,
        "temperature": 0.0,
        "top_p": 1,
        "tools": [],
        "tool_choice": "none",
        "seed": 1,
        "logprobs": False,
        "frequency_penalty": 0,
        "presence_penalty": 0.0,
        "logit_bias": {},
        "service_tier": "auto",
        "store": False,
        "modalities": ["text"],
        "stop": None,
    }
    reply = await served.house.http.post("/v1/chat/completions", json={**CHAT, **neutral})

    assert reply.status_code == 200, reply.text
    assert unpack(served.house.store.admitted[0].task, Task).goal == "Why?"


async def test_a_key_of_another_request_is_refused(house: House) -> None:
    headers = {"Idempotency-Key": "k"}
    body = {"model": "banyan", "input": "Why?", "background": True}
    await house.http.post("/v1/responses", json=body, headers=headers)
    reply = await house.http.post("/v1/responses", json={**body, "input": "How?"}, headers=headers)

    assert_error(reply, 400, "idempotency_key_reused", None)


async def test_refusals_before_the_routes_have_the_shape_too(house: House) -> None:
    unknown = await house.http.get("/v1/embeddings")
    method = await house.http.get("/v1/chat/completions")
    too_large = await house.http.post(
        "/v1/chat/completions", content=b"x", headers={"Content-Length": str(2**40)}
    )
    foreign = await house.http.get("/v1/models", headers={"Host": "pages.example"})
    house.store.away = True
    away = await house.http.post("/v1/chat/completions", json=CHAT)

    assert_error(unknown, 404, "not_found", None)
    assert_error(method, 405, "method_not_allowed", None)
    assert_error(too_large, 413, "body_too_large", None)
    assert_error(foreign, 403, "not_local", None)
    assert_error(away, 503, "store_unavailable", None)
    assert "secret-host" not in away.text


async def test_patience_ends_with_an_error_and_the_solve() -> None:
    house = House(ServiceSettings(max_wait_s=0.01))
    async with house.http:
        reply = await house.http.post("/v1/chat/completions", json=CHAT)

    assert_error(reply, 504, "still_running", None)
    assert (await house.store.get_tree(house.store.admitted[0].tree_id)).status == "cancelled"


async def test_models_are_banyan_and_the_policies(client: openai.AsyncOpenAI) -> None:
    assert [model.id async for model in client.models.list()] == ["banyan", "base"]
    assert (await client.models.retrieve("banyan")).owned_by == "banyan"
    with pytest.raises(openai.NotFoundError, match="no model of this name"):
        await client.models.retrieve("gpt-x")
