"""Texts that solves derived are removed once the solves are gone; documents stay."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx
import pytest
from redis import Redis

from banyan.adapters.memory_leftovers import MemoryLeftovers
from banyan.adapters.memory_library import MemoryLibrary
from banyan.adapters.store_rules import DERIVED_KEPT_S
from banyan.adapters.sweeper import LEASE_S, Sweeper
from banyan.errors import StoreUnavailable
from banyan.testing import ScriptedEngine
from bench.aging import age
from bench.stack import Stack, wait_until
from tests.growing import TENANT, Grower, rule, sentences


def wordy(_: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    """Divides what is long, and says more of each part than the window holds of all."""
    if "split" in properties:
        return {"brief": "b", "split": {"goal": "find it", "expects": None, "parts": 32}}
    return {"answer": "word " * 90, "citations": [1]}


class Away(MemoryLibrary):
    """Keeps what it keeps; nothing can be removed while it is `away`."""

    away = False

    async def forget(self, tenant: str, document: str) -> bool:
        if self.away:
            raise StoreUnavailable("away")
        return await super().forget(tenant, document)


async def grown(grower: Grower) -> str:
    tree = await grower.grow("What is it about?", sentences(2_000))
    assert tree.status == "completed"
    return tree.id


def documents(grower: Grower) -> list[bool]:
    """Of each document that is kept, whether it was derived."""
    shelf = grower.library.shelf(TENANT)
    return [shelf.info(document).derived for document in shelf.ids]


async def test_what_a_deleted_solve_derived_is_removed_and_its_documents_stay() -> None:
    grower = Grower(ScriptedEngine(rule=rule(wordy)))
    sweeper = Sweeper(MemoryLeftovers(grower.store), grower.library)
    tree = await grown(grower)
    assert sorted(documents(grower)) == [False, True]

    await grower.store.delete(tree, TENANT)
    assert await sweeper.step() == 0
    grower.now += DERIVED_KEPT_S

    assert await sweeper.step() == 1
    assert documents(grower) == [False]
    assert await sweeper.step() == 0


async def test_what_could_not_be_removed_is_removed_later() -> None:
    grower = Grower(ScriptedEngine(rule=rule(wordy)), library=(library := Away()))
    sweeper = Sweeper(MemoryLeftovers(grower.store), library)
    await grower.store.delete(await grown(grower), TENANT)
    grower.now += DERIVED_KEPT_S
    library.away = True
    with pytest.raises(StoreUnavailable):
        await sweeper.step()
    library.away = False
    assert await sweeper.step() == 0
    grower.now += LEASE_S

    assert await sweeper.step() == 1
    assert documents(grower) == [False]


def test_a_worker_removes_what_a_deleted_solve_derived() -> None:
    """The model server writes as much as it may, so that the results exceed the window."""
    with (
        Stack(num_workers=1, window=4_096, engine_options=["--rule", "longest"]) as stack,
        httpx.Client(timeout=130.0, trust_env=False) as client,
    ):

        def derived() -> list[str]:
            return [path.name for path in stack.folder.rglob("*.passages")]

        limits = {"max_depth": 1}
        tree_id = stack.submit(client, "fan-out 24", gate={"mode": "always"}, limits=limits)
        stack.wait(client, tree_id)
        assert derived()
        assert client.delete(f"{stack.url}/solve/{tree_id}").status_code == 204
        with Redis.from_url(stack.valkey.url) as redis:
            age(redis, DERIVED_KEPT_S)
        wait_until(lambda: not list(stack.folder.rglob("doc_*")), 120.0)
