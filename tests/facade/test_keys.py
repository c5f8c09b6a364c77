"""The facade behind keys and quotas, as OpenAI's own client meets them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import openai
import pytest

from banyan.access import SCOPES, Scope, mint
from service.settings import ServiceSettings
from tests.service.house import House
from tests.service.served import Served, serve
from tests.service.working import working

NOW = 1_700_000_000.0

ClientOf = Callable[[str], openai.AsyncOpenAI]


@pytest.fixture
async def guarded() -> AsyncIterator[Served]:
    """A service that asks for keys, and takes one unfinished solve of each tenant at a time."""
    house = House(ServiceSettings(auth="on", quota_trees=1, heartbeat_s=0.02, max_wait_s=30.0))
    async with house.http, serve(house) as served:
        yield served


@pytest.fixture
async def client_of(guarded: Served) -> AsyncIterator[ClientOf]:
    """Clients by their key, which do not try again what was refused."""
    clients: list[openai.AsyncOpenAI] = []

    def make(key: str) -> openai.AsyncOpenAI:
        url = f"{guarded.url}/v1"
        clients.append(openai.AsyncOpenAI(base_url=url, api_key=key, max_retries=0))
        return clients[-1]

    yield make
    for client in clients:
        await client.close()


async def key_of(served: Served, tenant: str, *scopes: Scope) -> str:
    key, kept = mint(tenant, scopes or SCOPES, now=NOW)
    await served.house.access.add(kept)
    return key


async def test_a_key_is_sent_as_openais_clients_send_it_and_names_the_tenant(
    guarded: Served, client_of: ClientOf
) -> None:
    acme, other = await key_of(guarded, "acme", "solve"), await key_of(guarded, "other", "solve")
    async with working(guarded.house):
        reply = await client_of(acme).responses.create(model="banyan", input="What are roots?")

    assert reply.status == "completed"
    assert (await client_of(acme).responses.retrieve(reply.id)).output_text == reply.output_text
    with pytest.raises(openai.NotFoundError):
        await client_of(other).responses.retrieve(reply.id)
    tree = f"solve_{reply.id.removeprefix('resp_')}"
    assert (await guarded.house.store.get_tree(tree)).tenant == "acme"


async def test_the_synchronous_client_streams_with_a_key(guarded: Served) -> None:
    key = await key_of(guarded, "acme", "solve")

    def ask() -> str:
        with openai.OpenAI(base_url=f"{guarded.url}/v1", api_key=key) as client:
            stream = client.chat.completions.create(
                model="banyan", messages=[{"role": "user", "content": "Why?"}], stream=True
            )
            return "".join(chunk.choices[0].delta.content or "" for chunk in stream)

    async with working(guarded.house):
        assert await asyncio.to_thread(ask)


async def test_without_a_key_that_opens_it_nothing_is_answered(
    guarded: Served, client_of: ClientOf
) -> None:
    with pytest.raises(openai.AuthenticationError) as unknown:
        await client_of("none").models.list()
    foreign = await key_of(guarded, "acme", "documents")
    with pytest.raises(openai.PermissionDeniedError) as closed:
        await client_of(foreign).responses.create(model="banyan", input="Why?")

    assert (unknown.value.code, closed.value.code) == ("invalid_key", "missing_scope")
    guarded.house.assert_nothing_stored()


async def test_a_quota_is_an_error_of_rate_that_says_when_to_come_back(
    guarded: Served, client_of: ClientOf
) -> None:
    client = client_of(await key_of(guarded, "acme", "solve"))
    first = await client.responses.with_raw_response.create(
        model="banyan", input="Why?", background=True
    )
    with pytest.raises(openai.RateLimitError) as refused:
        await client.chat.completions.create(
            model="banyan", messages=[{"role": "user", "content": "Why not?"}]
        )
    other = await client_of(await key_of(guarded, "other", "solve")).responses.create(
        model="banyan", input="Why?", background=True
    )

    assert first.headers["RateLimit"] == '"trees";r=0'
    assert refused.value.code == "quota_exceeded"
    assert int(refused.value.response.headers["Retry-After"]) > 0
    assert other.status == "queued"
    assert len(guarded.house.store.admitted) == 2
