"""HTTP to model servers: one pooled client a server, typed replies, errors in the words of Banyan.

Bodies are encoded and replies decoded by msgspec. Messages of errors never carry text of a prompt:
of a server's 400 only its own type, code and parameter are passed on.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

import msgspec
from aiohttp import ClientConnectorError, ClientError

from banyan.adapters.engine_session import EngineSession
from banyan.errors import (
    EngineError,
    EngineOverloaded,
    EngineRefused,
    EngineUnavailable,
    InvalidInput,
    PromptTooLong,
)

DEFAULT_TIMEOUT_S = 600.0
"""Of one call, from the request to the next bytes of its reply."""

HEALTH_TIMEOUT_S = 5.0

OK = 200
BAD_GATEWAY = 502

_RETRYABLE = frozenset({408, 409, 425, 500, 502, 504})
_OVERLOADED = frozenset({429, 503})
_SPEAKING = frozenset({401, 403, 404})
"""Statuses whose message is about the key, the model or the path, never about the prompt."""

_SCHEMA_WORDS = re.compile("schema|grammar|structured", re.IGNORECASE)
"""How vLLM's three grammar compilers and others say that they do not understand a schema."""

T = TypeVar("T")


class UnknownModel(EngineRefused):
    """The server does not know the name: of a model, or of an adapter that is not loaded."""


class _ErrorBody(msgspec.Struct):
    message: str | None = None
    type: str | None = None
    code: str | int | None = None
    param: str | None = None


class _ErrorReply(msgspec.Struct):
    error: _ErrorBody | str | None = None
    message: str | None = None


_ENCODER = msgspec.json.Encoder()
_ERROR = msgspec.json.Decoder(_ErrorReply)


class EngineHttp:
    """Calls to one model server. `base_url` has no slash at its end here.

    Raises InvalidInput for what is no URL.
    """

    def __init__(
        self, base_url: str, *, api_key: str = "", timeout_s: float = DEFAULT_TIMEOUT_S
    ) -> None:
        self.base_url = base_url.rstrip("/")
        headers = {"content-type": "application/json", "user-agent": "banyan"}
        if api_key:
            headers["authorization"] = f"Bearer {api_key}"
        try:
            self._session = EngineSession(self.base_url, headers=headers, timeout_s=timeout_s)
        except ValueError as error:
            raise InvalidInput(
                f"engine: {error}",
                hint="Set BANYAN_ENGINE_URLS to addresses like http://host:port.",
            ) from error

    async def get(self, path: str, reply: type[T]) -> T:
        """The reply to a GET, decoded as `reply`."""
        with _translated(self.base_url):
            status, content = await self._session.request("GET", path)
        return self._decode(status, content, reply)

    async def post(self, path: str, body: Mapping[str, Any], reply: type[T]) -> T:
        """The reply to a POST of `body`, decoded as `reply`."""
        encoded = _ENCODER.encode(body)
        with _translated(self.base_url):
            status, content = await self._session.request("POST", path, encoded)
        return self._decode(status, content, reply)

    async def text(self, method: str, path: str, body: Mapping[str, Any] | None) -> str:
        """The reply as it is, where it is no JSON."""
        encoded = b"" if body is None else _ENCODER.encode(body)
        with _translated(self.base_url):
            status, content = await self._session.request(method, path, encoded)
        if status != OK:
            raise error_of(status, content, self.base_url)
        return content.decode("utf-8", "replace")

    async def events(
        self, path: str, body: Mapping[str, Any], reply: type[T]
    ) -> AsyncGenerator[T, None]:
        """The server-sent events of a POST, decoded as `reply`; `[DONE]` ends them.

        Use it under `aclosing`, so that the connection closes with the loop that reads it.
        """
        encoded = _ENCODER.encode(body)
        with _translated(self.base_url):
            async with self._session.stream("POST", path, encoded) as (status, parts):
                if status != OK:
                    raise error_of(status, b"".join([part async for part in parts]), self.base_url)
                async for data in _event_data(parts):
                    if data == b"[DONE]":
                        continue  # what is left of the body is read, and the connection kept
                    if data.startswith(b'{"error"'):
                        raise _stream_error(data, self.base_url)
                    yield _decode(data, reply, self.base_url)

    async def ok(self, path: str) -> None:
        """Ask a health endpoint. Raises EngineUnavailable where it does not say 200."""
        with _translated(self.base_url):
            status, _ = await self._session.request("GET", path, timeout_s=HEALTH_TIMEOUT_S)
        if status != OK:
            raise EngineUnavailable(f"{self.base_url}{path} says {status}")

    async def close(self) -> None:
        await self._session.close()

    def _decode(self, status: int, content: bytes, reply: type[T]) -> T:
        if status != OK:
            raise error_of(status, content, self.base_url)
        return _decode(content, reply, self.base_url)


def error_of(status: int, body: bytes, url: str) -> EngineError:
    """The error that a status and its body stand for."""
    try:
        parsed = _ERROR.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        parsed = _ErrorReply()
    error = parsed.error if isinstance(parsed.error, _ErrorBody) else _ErrorBody()
    facts = [str(fact) for fact in (error.type, error.code, error.param) if fact]
    if _is_too_long(error):
        return PromptTooLong(f"the prompt does not fit the window of {url}")
    if error.type == "NotFoundError" and error.param == "model":
        return UnknownModel(f"{url} says {status} ({error.message})")
    if _SCHEMA_WORDS.search(error.message or ""):
        facts.append("the JSON Schema has a feature that the server does not support")
    if status in _SPEAKING:
        facts.append(error.message or parsed.message or "")
    message = f"{url} says {status} ({', '.join(facts) or 'no reason given'})"
    if status in _OVERLOADED:
        return EngineOverloaded(message)
    return EngineUnavailable(message) if status in _RETRYABLE else EngineRefused(message)


def _is_too_long(error: _ErrorBody) -> bool:
    """llama.cpp by type, vLLM by parameter, OpenAI by code; others in words."""
    return (
        error.type == "exceed_context_size_error"
        or error.param == "input_tokens"
        or error.code == "context_length_exceeded"
        or "maximum context length" in (error.message or "")
    )


def _stream_error(data: bytes, url: str) -> EngineError:
    """An error inside a stream that began with 200; its code is a status where it is a number."""
    try:
        error = _ERROR.decode(data).error
    except msgspec.DecodeError:
        error = None
    code = error.code if isinstance(error, _ErrorBody) else None
    return error_of(code if isinstance(code, int) else BAD_GATEWAY, data, url)


def _decode(data: bytes, reply: type[T], url: str) -> T:
    try:
        return msgspec.json.decode(data, type=reply)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        if not isinstance(error, msgspec.ValidationError):  # no whole JSON: it was cut on its way
            raise EngineUnavailable(f"{url} sent a reply that is no JSON, or ends early") from error
        raise EngineRefused(
            f"{url} does not speak the expected protocol: {type(error).__name__}",
            hint="Check that BANYAN_ENGINE_KIND names the kind of server behind the URL.",
        ) from error


async def _event_data(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The data of each event; events here have one data line each."""
    rest = b""
    async for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            if line.startswith(b"data:"):
                yield line[5:].strip()


@contextmanager
def _translated(url: str) -> Iterator[None]:
    try:
        yield
    except TimeoutError as error:
        raise EngineUnavailable(f"{url} did not answer in time") from error
    except ClientConnectorError as error:
        raise EngineUnavailable(f"no connection to {url} ({error.strerror})") from error
    except ClientError as error:  # its text may quote the reply, and so a prompt
        raise EngineUnavailable(f"no connection to {url} ({type(error).__name__})") from error
