"""What a spawn stores once for all of its children."""

from __future__ import annotations

import pytest

from banyan.budget import Budget
from banyan.errors import NotFound
from tests.fixtures.waiting import eventually
from tests.store.conftest import MakeForest
from tests.store.trees import FAILED, OK, PARTIAL, Forest

PREFIX = bytes(range(256)) * 40


async def spawn_with(forest: Forest, tree: str, path: str = "0", name: str = "0.0") -> None:
    await forest.spawn(await forest.lease(tree, path), 3, shared=(name, PREFIX))


async def test_children_find_what_was_stored_for_them(forest: Forest) -> None:
    tree = await forest.plant()
    await spawn_with(forest, tree)

    assert await forest.store.shared(tree, "0.0") == PREFIX
    assert await forest.store.shared(tree, "0.0") == PREFIX


async def test_what_was_never_stored_is_not_found(forest: Forest) -> None:
    tree = await forest.plant()
    await forest.spawn(await forest.lease(tree), 2)

    with pytest.raises(NotFound):
        await forest.store.shared(tree, "0.0")
    with pytest.raises(NotFound):
        await forest.store.shared("solve_" + "0" * 28, "0.0")


async def test_it_survives_a_worker_that_died(make: MakeForest) -> None:
    forest = make(queued_s=0.05)
    tree = await forest.plant()
    await spawn_with(forest, tree)
    await forest.claim(tree, "0.0", lease_s=0.01)

    async def lost() -> bool:
        return any(hint.paths for hint in await forest.store.reap())

    assert await eventually(lost)
    assert await forest.store.shared(tree, "0.0") == PREFIX


async def test_a_tree_that_is_opened_again_has_it_still(forest: Forest) -> None:
    tree = await forest.plant(tokens=10_000)
    await spawn_with(forest, tree)
    for path, outcome in (("0.0", OK), ("0.1", FAILED), ("0.2", OK), ("0", PARTIAL)):
        await forest.run(tree, path, outcome)

    reopened, _ = await forest.store.resume(
        tree, extra=Budget(tokens=100, nodes=1), deadline_s=60.0
    )

    assert reopened
    assert await forest.store.shared(tree, "0.0") == PREFIX
