"""HTTP to model servers: pooling, streams, and what goes wrong on the wire."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from typing import Any

import pytest

from banyan.adapters.engine_http import EngineHttp
from banyan.errors import (
    EngineOverloaded,
    EngineRefused,
    EngineUnavailable,
    InvalidInput,
    PromptTooLong,
)
from tests.engine.wire import chunked, events, reply, wire
from tests.fixtures.waiting import until

Connect = Callable[..., EngineHttp]
Json = dict[str, Any]


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    """Opens clients that are closed after the test."""
    opened: list[EngineHttp] = []

    def open_one(url: str, *, api_key: str = "", timeout_s: float = 30.0) -> EngineHttp:
        opened.append(EngineHttp(url, api_key=api_key, timeout_s=timeout_s))
        return opened[-1]

    yield open_one
    for http in opened:
        await http.close()


async def read_all(http: EngineHttp) -> list[Json]:
    async with aclosing(http.events("/", {}, Json)) as stream:
        return [event async for event in stream]


async def test_a_connection_is_used_again(connect: Connect) -> None:
    async with wire(reply(b'{"n":1}'), chunked(b'{"n"', b":2}"), reply(b'{"n":3}')) as server:
        http = connect(server.url)

        replies = [await http.post("/", {}, Json) for _ in range(3)]

        assert [found["n"] for found in replies] == [1, 2, 3]
        assert server.num_connections == 1


async def test_an_idle_connection_that_the_server_closed_is_no_failure(connect: Connect) -> None:
    async with wire(reply(b'{"n":1}'), None, reply(b'{"n":2}')) as server:
        http = connect(server.url)
        await http.post("/", {}, Json)

        found = await http.post("/", {}, Json)

        assert found == {"n": 2}
        assert server.num_connections == 2


async def test_the_repeat_uses_no_other_idle_connection(connect: Connect) -> None:
    script = (reply(b'{"n":1}'), reply(b'{"n":2}'), None, reply(b'{"n":3}'))
    async with wire(*script) as server:
        http = connect(server.url)
        await asyncio.gather(http.post("/", {}, Json), http.post("/", {}, Json))

        found = await http.post("/", {}, Json)

        assert found == {"n": 3}
        assert server.num_connections == 3


async def test_a_call_is_repeated_only_once(connect: Connect) -> None:
    async with wire(reply(b"{}"), None, None, reply(b"{}")) as server:
        http = connect(server.url)
        await http.post("/", {}, Json)

        with pytest.raises(EngineUnavailable):
            await http.post("/", {}, Json)

        assert len(server.requests) == 3


async def test_a_call_whose_reply_has_begun_is_not_repeated(connect: Connect) -> None:
    async with wire(reply(b"{}"), b"HTTP/1.1 200 O", reply(b"{}")) as server:
        http = connect(server.url)
        await http.post("/", {}, Json)

        with pytest.raises(EngineUnavailable):
            await http.post("/", {}, Json)

        assert len(server.requests) == 2


async def test_a_new_connection_that_is_dropped_is_unavailable(connect: Connect) -> None:
    async with wire(None, None) as server:
        with pytest.raises(EngineUnavailable):
            await connect(server.url).post("/", {}, Json)

        assert len(server.requests) == 1


async def test_nobody_at_home_is_unavailable(connect: Connect) -> None:
    async with wire() as server:
        url = server.url

    with pytest.raises(EngineUnavailable, match="no connection"):
        await connect(url).get("/", Json)


async def test_an_unknown_host_is_unavailable(connect: Connect) -> None:
    with pytest.raises(EngineUnavailable):
        await connect("http://model.invalid:8000").get("/", Json)


async def test_silence_is_unavailable_after_the_timeout(connect: Connect) -> None:
    async with wire(hang=True) as server:
        with pytest.raises(EngineUnavailable, match="in time"):
            await connect(server.url, timeout_s=0.05).get("/", Json)

        await server.closed.wait()


async def test_a_cancelled_call_closes_its_connection(connect: Connect) -> None:
    async with wire(hang=True) as server:
        call = asyncio.create_task(connect(server.url).get("/", Json))
        await until(lambda: server.requests)

        call.cancel()

        await server.closed.wait()
        with pytest.raises(asyncio.CancelledError):
            await call


@pytest.mark.parametrize("status", ["429 Busy", "500 Oh", "502 Bad", "503 Busy", "504 Late"])
async def test_overload_and_crashes_may_be_retried(connect: Connect, status: str) -> None:
    async with wire(reply(b"oops", status)) as server:
        with pytest.raises(EngineUnavailable, match=status[:3]):
            await connect(server.url).post("/", {}, Json)


@pytest.mark.parametrize("status", ["429 Busy", "503 Busy"])
async def test_too_many_calls_are_told_from_crashes(connect: Connect, status: str) -> None:
    async with wire(reply(b"oops", status)) as server:
        with pytest.raises(EngineOverloaded):
            await connect(server.url).post("/", {}, Json)


@pytest.mark.parametrize("status", ["400 Bad", "401 Who", "404 Where", "422 What", "302 Else"])
async def test_other_statuses_are_final(connect: Connect, status: str) -> None:
    async with wire(reply(b"{}", status)) as server:
        with pytest.raises(EngineRefused, match=status[:3]):
            await connect(server.url).post("/", {}, Json)


@pytest.mark.parametrize(
    "error",
    [
        b'{"type":"exceed_context_size_error","code":400}',
        b'{"type":"BadRequestError","param":"input_tokens","code":400}',
        b'{"code":"context_length_exceeded","type":"invalid_request_error"}',
        b'{"message":"the maximum context length is 5"}',
    ],
)
async def test_every_servers_word_for_too_long_is_known(connect: Connect, error: bytes) -> None:
    async with wire(reply(b'{"error":' + error + b"}", "400 Bad")) as server:
        with pytest.raises(PromptTooLong):
            await connect(server.url).post("/", {}, Json)


async def test_an_error_never_repeats_what_the_prompt_said(connect: Connect) -> None:
    body = b'{"error":{"message":"cannot parse: my secret text","type":"BadRequest","code":400}}'
    async with wire(reply(body, "400 Bad")) as server:
        with pytest.raises(EngineRefused) as caught:
            await connect(server.url).post("/", {}, Json)

    assert "secret" not in str(caught.value)
    assert "BadRequest" in str(caught.value)


@pytest.mark.parametrize(
    "message",
    [
        "Grammar error: Unimplemented keys",
        "Failed to transform json schema into a grammar: Unsupported type",
        "The provided JSON schema contains features not supported by xgrammar.",
    ],
)
async def test_a_schema_that_is_not_supported_is_named(connect: Connect, message: str) -> None:
    body = f'{{"error":{{"message":"{message}","type":"BadRequestError","code":400}}}}'
    async with wire(reply(body.encode(), "400 Bad")) as server:
        with pytest.raises(EngineRefused, match="JSON Schema has a feature"):
            await connect(server.url).post("/", {}, Json)


async def test_a_redirect_is_not_followed(connect: Connect) -> None:
    async with wire(reply(b"{}", "302 Else", "location: /other\r\n"), reply(b"{}")) as server:
        with pytest.raises(EngineRefused, match="302"):
            await connect(server.url).get("/", Json)

        assert len(server.requests) == 1


async def test_another_protocol_is_named_as_such(connect: Connect) -> None:
    async with wire(reply(b'["hello"]')) as server:
        with pytest.raises(EngineRefused, match="protocol"):
            await connect(server.url).get("/", Json)


@pytest.mark.parametrize("body", [b"", b'{"n":', b"<html>the gateway is busy</html>"])
async def test_a_reply_that_is_no_whole_json_may_be_asked_for_again(
    connect: Connect, body: bytes
) -> None:
    async with wire(reply(body), reply(b'{"n":1}')) as server:
        http = connect(server.url)

        with pytest.raises(EngineUnavailable, match="ends early"):
            await http.get("/", Json)

        assert await http.get("/", Json) == {"n": 1}


@pytest.mark.parametrize(
    "broken",
    [
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: many\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
    ],
)
async def test_what_is_no_http_is_unavailable(connect: Connect, broken: bytes) -> None:
    async with wire(broken) as server:
        with pytest.raises(EngineUnavailable) as caught:
            await connect(server.url).get("/", Json)

    assert "OpenSSH" not in str(caught.value)


async def test_a_long_body_arrives_whole(connect: Connect) -> None:
    text = "x" * 3_000_000
    async with wire(reply(b"{}")) as server:
        await connect(server.url).post("/", {"text": text}, Json)

    assert server.requests[0].endswith(b'{"text":"' + text.encode() + b'"}')


async def test_a_server_that_stops_reading_is_unavailable_in_a_stream_too(connect: Connect) -> None:
    async with wire(deaf=True) as server:
        http = connect(server.url, timeout_s=0.2)
        with pytest.raises(EngineUnavailable, match="in time"):
            async with aclosing(http.events("/", {"text": "x" * 20_000_000}, Json)) as stream:
                await anext(stream)


async def test_a_client_that_is_closed_leaves_no_connection(connect: Connect) -> None:
    async with wire(reply(b"{}")) as server:
        http = connect(server.url)
        await http.get("/", Json)

        await http.close()

        await server.closed.wait()


async def test_events_come_one_by_one_and_keep_the_connection(connect: Connect) -> None:
    async with wire(events(b'{"n":1}', b'{"n":2}', b"[DONE]"), reply(b'{"n":3}')) as server:
        http = connect(server.url)

        assert await read_all(http) == [{"n": 1}, {"n": 2}]
        assert await http.get("/", Json) == {"n": 3}
        assert server.num_connections == 1


async def test_an_event_may_come_in_pieces(connect: Connect) -> None:
    async with wire(chunked(b"da", b'ta: {"n"', b":1}\r\n\r", b"\n: comment\n\n")) as server:
        assert await read_all(connect(server.url)) == [{"n": 1}]


async def test_an_error_inside_a_stream_rises(connect: Connect) -> None:
    error = b'{"error":{"message":"died","type":"InternalServerError","code":500}}'
    async with wire(events(b'{"n":1}', error)) as server:
        with pytest.raises(EngineUnavailable, match="InternalServerError"):
            await read_all(connect(server.url))


async def test_a_stream_that_is_left_is_closed(connect: Connect) -> None:
    async with wire(events(b'{"n":1}')[:-5]) as server:
        async with aclosing(connect(server.url).events("/", {}, Json)) as stream:
            first = await anext(stream)

        await server.closed.wait()

    assert first == {"n": 1}


async def test_the_key_travels_as_a_bearer_token(connect: Connect) -> None:
    async with wire(reply(b"{}")) as server:
        await connect(server.url, api_key="k-1").get("/v1/models", Json)

        assert b"GET /v1/models HTTP/1.1" in server.requests[0]
        assert b"authorization: Bearer k-1\r\n" in server.requests[0]


async def test_no_compression_is_asked_for(connect: Connect) -> None:
    async with wire(reply(b"{}")) as server:
        await connect(server.url).get("/", Json)

        assert b"accept-encoding" not in server.requests[0].lower()


async def test_a_path_in_the_url_is_kept(connect: Connect) -> None:
    async with wire(reply(b"{}")) as server:
        await connect(f"{server.url}/models/small/").get("/health", Json)

        assert server.requests[0].startswith(b"GET /models/small/health ")


@pytest.mark.parametrize(
    "url", ["", "localhost:8000", "ftp://host", "http://", "http://h:port", "http://u:p@h"]
)
def test_what_is_no_url_is_invalid(url: str) -> None:
    with pytest.raises(InvalidInput):
        EngineHttp(url)


def test_a_key_cannot_add_a_header() -> None:
    with pytest.raises(InvalidInput):
        EngineHttp("http://host", api_key="k\r\nx-evil: 1")
