"""The OpenAI adapter: what it sends, what it refuses, and servers that leave things out."""

from __future__ import annotations

import json

import pytest

from banyan.errors import AbilityMissing, EngineRefused, EngineUnavailable
from banyan.ports import CallOptions, Completion, Message
from banyan.settings import Settings
from tests.engine.conftest import OpenEngine
from tests.engine.dialogues import ANSWER, DIALOGUE, OPTIONS
from tests.engine.wire import events, reply, wire
from tests.fixtures.engines import ServedEngine

MODELS = reply(b'{"object":"list","data":[{"id":"gpt","object":"model"}]}')
USAGE = b'"usage":{"prompt_tokens":7,"completion_tokens":3,"total_tokens":10}'


def chat(message: bytes, finish_reason: bytes = b'"stop"', usage: bytes = USAGE) -> bytes:
    choice = b'{"index":0,"message":' + message + b',"finish_reason":' + finish_reason + b"}"
    return reply(b'{"choices":[' + choice + b"]" + (b"," + usage if usage else b"") + b"}")


def settings(url: str, *, model: str = "", window: int | None = None) -> Settings:
    return Settings(engine_kind="openai", engine_urls=url, engine_model=model, engine_window=window)


async def ask(open_engine: OpenEngine, *replies: bytes) -> tuple[Completion, list[bytes]]:
    async with wire(MODELS, *replies) as server:
        engine = open_engine(settings(server.url))
        prompt = await engine.render(DIALOGUE)
        completion = await engine.complete(prompt, schema=ANSWER, max_tokens=20, options=OPTIONS)
        return completion, server.requests


async def test_messages_and_a_strict_schema_are_sent(open_engine: OpenEngine) -> None:
    completion, requests = await ask(open_engine, chat(b'{"role":"assistant","content":"{}"}'))

    sent = json.loads(requests[1].partition(b"\r\n\r\n")[2])
    assert sent["model"] == "gpt"
    assert sent["messages"][1] == {"role": "user", "content": DIALOGUE[1].content}
    assert sent["response_format"]["json_schema"]["strict"] is True
    assert sent["response_format"]["json_schema"]["schema"] == ANSWER
    assert sent["max_tokens"] == 20
    assert (completion.prompt_tokens, completion.completion_tokens) == (7, 3)


async def test_token_ids_and_logprobs_are_not_made_up(open_engine: OpenEngine) -> None:
    completion, _ = await ask(open_engine, chat(b'{"content":"{}"}'))

    assert completion.token_ids is None
    assert completion.logprobs is None


async def test_a_refusal_is_refused(open_engine: OpenEngine) -> None:
    with pytest.raises(EngineRefused, match="refused"):
        await ask(open_engine, chat(b'{"content":null,"refusal":"I will not"}'))


async def test_a_content_filter_is_no_answer(open_engine: OpenEngine) -> None:
    with pytest.raises(EngineRefused, match="content filter"):
        await ask(open_engine, chat(b'{"content":"half"}', b'"content_filter"'))


async def test_a_reply_without_usage_is_refused(open_engine: OpenEngine) -> None:
    with pytest.raises(EngineRefused, match="tokens"):
        await ask(open_engine, chat(b'{"content":"{}"}', usage=b""))


async def test_a_stream_that_ends_early_may_be_retried(open_engine: OpenEngine) -> None:
    async def ignore(text: str) -> None:
        del text

    half = events(b'{"choices":[{"delta":{"content":"{"}}]}')
    async with wire(MODELS, half) as server:
        engine = open_engine(settings(server.url))
        prompt = await engine.render(DIALOGUE)

        with pytest.raises(EngineUnavailable):
            await engine.complete(
                prompt, schema=None, max_tokens=9, options=OPTIONS, on_delta=ignore
            )


async def test_the_window_is_an_assumption_where_nobody_tells_it(open_engine: OpenEngine) -> None:
    async with wire(MODELS) as server:
        abilities = await open_engine(settings(server.url)).abilities()

    assert abilities.window == 8_192
    assert not abilities.token_ids
    assert not abilities.scores


async def test_the_settings_decide_the_window_and_the_model(open_engine: OpenEngine) -> None:
    async with wire(MODELS) as server:
        engine = open_engine(settings(server.url, model="other", window=4_096))

        abilities = await engine.abilities()

    assert (abilities.model, abilities.window) == ("other", 4_096)


async def test_a_server_without_a_list_of_models_needs_a_name(open_engine: OpenEngine) -> None:
    async with wire(reply(b"{}", "404 Not Found")) as server:
        with pytest.raises(EngineRefused, match="no models"):
            await open_engine(settings(server.url)).abilities()


async def test_a_url_that_ends_with_v1_is_the_same_server(
    open_engine: OpenEngine, fake_server: ServedEngine
) -> None:
    engine = open_engine(settings(f"{fake_server.url}/v1"))

    await engine.ping()

    assert (await engine.abilities()).model == "fake"


async def test_prefills_scores_and_policies_are_missing_abilities(
    open_engine: OpenEngine, fake_server: ServedEngine
) -> None:
    engine = open_engine(settings(fake_server.url))
    prompt = await engine.render(DIALOGUE)
    trained = CallOptions(salt="tests:v2", policy="policy-v2")

    with pytest.raises(AbilityMissing):
        await engine.render([*DIALOGUE, Message("assistant", "The")])
    with pytest.raises(AbilityMissing):
        await engine.choose(prompt, {"answer": "A"}, OPTIONS)
    with pytest.raises(AbilityMissing):
        await engine.complete(prompt, schema=None, max_tokens=2, options=trained)


async def test_counts_are_estimates_of_the_size_in_utf8(
    open_engine: OpenEngine, fake_server: ServedEngine
) -> None:
    engine = open_engine(settings(fake_server.url))

    assert await engine.count("x" * 36) == 10
    assert await engine.count("x" * 37) == 11
    assert await engine.count("\u4e2d" * 12) == 10
