"""Where keys and signing secrets are kept: the twin and a server pass the same tests."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from banyan.access import SCOPES, mint
from banyan.adapters.memory_access import MemoryAccess
from banyan.adapters.redis_access import RedisAccess
from banyan.errors import Conflict, NotFound
from banyan.ports import AccessStore
from banyan.signing import OVERLAP_S
from tests.fixtures.namespaces import namespace


@pytest.fixture
async def access(store_url: str | None) -> AsyncIterator[AccessStore]:
    store: AccessStore
    store = RedisAccess(store_url, namespace=namespace()) if store_url else MemoryAccess()
    yield store
    await store.close()


async def test_a_key_is_found_by_its_prefix(access: AccessStore) -> None:
    _, kept = mint("acme", SCOPES, name="shop", now=5.0, expires_at=9.5)
    await access.add(kept)

    assert await access.find(kept.prefix) == kept
    assert await access.find("bny_aaaaaaaaaaaa") is None


async def test_a_prefix_belongs_to_one_key(access: AccessStore) -> None:
    _, first = mint("acme", ("solve",), now=5.0)
    _, second = mint("evil", SCOPES, now=6.0)
    await access.add(first)

    with pytest.raises(Conflict):
        await access.add(second.model_copy(update={"prefix": first.prefix}))
    assert await access.find(first.prefix) == first


async def test_keys_are_listed_by_age_and_by_tenant(access: AccessStore) -> None:
    kept = [mint(tenant, SCOPES, now=at)[1] for tenant, at in (("b", 3.0), ("a", 1.0), ("b", 2.0))]
    for key in kept:
        await access.add(key)

    assert [key.created_at for key in await access.keys()] == [1.0, 2.0, 3.0]
    assert {key.tenant for key in await access.keys("b")} == {"b"}
    assert await access.keys("c") == []


async def test_a_key_is_revoked_once(access: AccessStore) -> None:
    _, kept = mint("acme", SCOPES, now=5.0)
    await access.add(kept)
    await access.revoke(kept.prefix, 7.5)
    await access.revoke(kept.prefix, 8.5)

    assert await access.find(kept.prefix) == kept.model_copy(update={"revoked_at": 7.5})
    assert [key.revoked_at for key in await access.keys()] == [7.5]
    with pytest.raises(NotFound):
        await access.revoke("bny_aaaaaaaaaaaa", 9.0)


async def test_every_tenant_has_a_signing_secret_of_its_own(access: AccessStore) -> None:
    first, other = await access.signing("a"), await access.signing("b")

    assert first == await access.signing("a")
    assert first.current != other.current
    assert first.current.startswith("whsec_")
    assert first.current not in repr(first)


async def test_the_old_secret_signs_beside_the_new_one_for_a_day(access: AccessStore) -> None:
    old = (await access.signing("a")).current
    new = (await access.rotate("a", 100.0)).current
    kept = await access.signing("a")

    assert kept.valid(100.0) == (new, old)
    assert kept.valid(100.0 + OVERLAP_S) == (new,)
