"""`banyan keys`, from the first key in the state store to one that opens nothing any more."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator

import pytest

from banyan.access import opens, prefix_of
from banyan.adapters.redis_access import RedisAccess
from banyan.client import Client
from banyan.local.valkey import Valkey
from service.settings import ServiceSettings
from tests.access.makers import key_of
from tests.cli.commands import banyan
from tests.service.house import House
from tests.service.served import Served, serve


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    house = House(ServiceSettings(auth="on", default_wait_s=0.0))
    async with house.http, serve(house) as served:
        yield served


async def run(url: str, key: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    env = {"BANYAN_URL": url, "BANYAN_API_KEY": key}
    return await asyncio.to_thread(banyan, *arguments, env=env)


async def test_the_first_key_is_written_into_the_store(valkey: Valkey) -> None:
    arguments = ("keys", "create", "--store", valkey.url, "--scope", "admin", "--days", "1")
    made = await asyncio.to_thread(banyan, *arguments)
    key = made.stdout.strip()
    access = RedisAccess(valkey.url)
    kept = await access.find(prefix_of(key) or "")
    await access.close()

    assert made.returncode == 0, made.stderr
    assert kept is not None
    assert opens(key, kept, kept.created_at)
    assert (kept.tenant, kept.scopes) == ("default", ("admin",))
    assert not kept.is_live(kept.created_at + 86_401)


async def test_keys_are_made_used_listed_and_revoked(served: Served) -> None:
    admin = (await key_of(served.house, "ops", "admin"))["Authorization"].split()[1]
    made = await run(served.url, admin, "keys", "create", "--tenant", "acme", "--name", "shop")
    key = made.stdout.strip()
    assert made.returncode == 0, made.stderr
    assert "tenant acme, scopes solve, documents" in made.stderr

    with Client(served.url, api_key=key) as client:
        solved = await asyncio.to_thread(client.submit, "Why?")
    listed = await run(served.url, admin, "keys", "list", "--json")
    prefix = prefix_of(key) or ""
    revoked = await run(served.url, admin, "keys", "revoke", prefix)
    shown = await run(served.url, admin, "keys", "list")
    refused = await run(served.url, key, "policies", "list")

    assert (await served.house.store.get_tree(solved.id)).tenant == "acme"
    assert [one["prefix"] for one in json.loads(listed.stdout)["keys"]][-1] == prefix
    assert key not in listed.stdout
    assert revoked.stdout == f"{prefix} opens nothing any more\n"
    assert "revoked" in shown.stdout
    assert (refused.returncode, "401" in refused.stderr) == (2, False)
    assert "was revoked" in refused.stderr


async def test_a_key_without_the_scope_is_told_which_one_is_missing(served: Served) -> None:
    key = (await key_of(served.house, "acme", "solve"))["Authorization"].split()[1]
    refused = await run(served.url, key, "keys", "list")

    assert refused.returncode == 2
    assert "scope `admin`" in refused.stderr


@pytest.mark.parametrize("wrong", [("--scope", "root"), ("--tenant", "a b"), ("--days", "0")])
def test_wrong_usage_is_said(wrong: tuple[str, str]) -> None:
    assert banyan("keys", "create", *wrong).returncode == 2
