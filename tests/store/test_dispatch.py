"""How many nodes are dispatched at one time, and which come first."""

from __future__ import annotations

from collections import deque

from banyan.ports import Hint
from tests.store.conftest import MakeForest
from tests.store.trees import Forest, paths


def in_order(hints: list[Hint]) -> list[tuple[str, str]]:
    """Trees and nodes, as workers take them from the queue."""
    return [(hint.tree_id, path) for hint in hints for path in hint.paths]


async def test_a_tree_dispatches_no_more_nodes_than_it_may(forest: Forest) -> None:
    tree = await forest.plant(max_parallel=3)
    hints = await forest.spawn(await forest.lease(tree), 5)
    assert paths(hints) == ["0.0", "0.1", "0.2"]
    assert await forest.claim_all(tree, ["0.3", "0.4"]) == []  # not before their turn
    assert paths(await forest.run(tree, "0.1")) == ["0.3"]
    assert paths(await forest.run(tree, "0.3")) == ["0.4"]


async def test_a_released_node_keeps_its_slot(forest: Forest) -> None:
    tree = await forest.plant(max_parallel=1)
    await forest.spawn(await forest.lease(tree), 2)
    hints = await forest.store.release([await forest.lease(tree, "0.0")])
    assert paths(hints) == ["0.0"]
    assert paths(await forest.run(tree, "0.0")) == ["0.1"]


async def test_a_waiting_parent_holds_no_slot(forest: Forest) -> None:
    tree = await forest.plant(max_parallel=1)
    hints, path = await forest.spawn(await forest.lease(tree), 1, nodes=20), "0"
    for _ in range(6):
        path = f"{path}.0"
        assert paths(hints) == [path]
        hints = await forest.spawn(
            await forest.lease(tree, path), 1, tokens=1, nodes=20 - path.count(".")
        )


async def test_continuations_come_before_children_and_deeper_ones_first(forest: Forest) -> None:
    tree = await forest.plant(max_parallel=2)
    assert paths(await forest.spawn(await forest.lease(tree), 4, nodes=5)) == ["0.0", "0.1"]
    # One slot is held; the other goes from node to node.
    await forest.lease(tree, "0.1")
    assert paths(await forest.spawn(await forest.lease(tree, "0.0"), 2, tokens=1)) == ["0.0.0"]
    assert paths(await forest.run(tree, "0.0.0")) == ["0.0.1"]
    assert paths(await forest.run(tree, "0.0.1")) == ["0.0"]
    assert paths(await forest.run(tree, "0.0")) == ["0.2"]


async def test_a_tenants_trees_take_turns(make: MakeForest) -> None:
    forest = make(tenant_dispatch=2)
    first, second = await forest.plant(), await forest.plant()
    await forest.spawn(await forest.lease(first), 4)
    hints = await forest.spawn(await forest.lease(second), 4)
    order = [(hint.tree_id, path) for hint in hints for path in hint.paths]
    running = [("first", "0.0")]
    names = {first: "first", second: "second"}
    running += [(names[tree], path) for tree, path in order]
    taken = []
    while running:
        name, path = running.pop(0)
        taken.append(name)
        tree = first if name == "first" else second
        for hint in await forest.run(tree, path):
            running += [(names[hint.tree_id], path) for path in hint.paths]
    # Eight children and two roots again; neither tree waits for the other's end.
    assert taken.count("first") == taken.count("second") == 5
    assert all(taken[:8][i : i + 3] != ["first"] * 3 for i in range(6))
    assert all(taken[:8][i : i + 3] != ["second"] * 3 for i in range(6))


async def test_a_greedy_tenant_slows_only_itself(make: MakeForest) -> None:
    forest = make(tenant_dispatch=2)
    greedy = [await forest.plant(tenant="greedy") for _ in range(3)]
    modest = await forest.plant(tenant="modest")
    assert await forest.claim_all(greedy[2], ["0"]) == []
    assert len(await forest.claim_all(modest, ["0"])) == 1
    assert [hint.tree_id for hint in await forest.run(greedy[0])] == [greedy[2]]


async def test_a_full_tree_lets_the_tenants_other_trees_pass(make: MakeForest) -> None:
    forest = make(tenant_dispatch=3)
    narrow = await forest.plant(max_parallel=1)
    assert paths(await forest.spawn(await forest.lease(narrow), 3)) == ["0.0"]
    others = [await forest.plant() for _ in range(2)]
    for other in others:
        assert len(await forest.claim_all(other, ["0"])) == 1


async def test_slots_that_a_cancel_frees_go_to_other_trees(make: MakeForest) -> None:
    forest = make(tenant_dispatch=1)
    first, second = await forest.plant(), await forest.plant()
    assert await forest.claim_all(second, ["0"]) == []
    await forest.store.cancel(first)
    assert [hint.tree_id for hint in await forest.store.reap()] == [second]
    assert len(await forest.claim_all(second, ["0"])) == 1


async def test_no_more_of_a_tenants_nodes_wait_in_the_queue_than_may(make: MakeForest) -> None:
    forest = make(tenant_queued=4)
    tree = await forest.plant()
    assert paths(await forest.spawn(await forest.lease(tree), 12)) == ["0.0", "0.1", "0.2", "0.3"]
    hints = [await forest.work(tree, path) for path in ("0.0", "0.1")]
    # Room is filled once half of it is free, so that a message names several nodes.
    assert [paths(some) for some in hints] == [[], ["0.4", "0.5"]]


async def test_nodes_that_a_cancel_takes_out_of_the_queue_leave_their_room(
    make: MakeForest,
) -> None:
    forest = make(tenant_queued=2)
    first, second = await forest.plant(), await forest.plant()
    assert paths(await forest.spawn(await forest.lease(first), 8)) == ["0.0"]
    await forest.store.cancel(first)
    assert len(await forest.claim_all(second, ["0"])) == 1
    assert paths(await forest.spawn(await forest.lease(await forest.plant()), 3)) == ["0.0", "0.1"]


async def test_a_released_node_is_in_the_queue_again(make: MakeForest) -> None:
    forest = make(tenant_queued=2)
    tree = await forest.plant()
    await forest.spawn(await forest.lease(tree), 6)
    first = await forest.lease(tree, "0.0")
    assert await forest.claim_all(tree, ["0.1", "0.2"])
    assert paths(await forest.store.release([first])) == ["0.0"]
    hints = [await forest.work(tree, path) for path in ("0.0", "0.3")]
    assert [paths(some) for some in hints] == [[], ["0.5"]]


async def test_a_modest_solve_waits_behind_little_of_a_greedy_tenants_work(
    make: MakeForest,
) -> None:
    """Trees of 50 nodes, and workers that take hints in the order in which they were sent."""
    forest = make(tenant_queued=8)
    for _ in range(20):
        await forest.plant(tenant="greedy")
    queue, modest, behind = deque(in_order(forest.planted)), "", 0
    while not modest or (await forest.store.get_tree(modest)).status != "completed":
        if len(await forest.all_nodes(queue[0][0])) > 1 and not modest:  # the greedy one is at work
            modest = await forest.plant(tenant="modest")
            queue += in_order(forest.planted[-1:])
        tree, path = queue.popleft()
        behind += bool(modest) and tree != modest
        queue += in_order(await forest.work(tree, path, num_children=49))

    # A turn for a turn, and what stood in the queue before: not a thousand nodes.
    assert behind <= 50 + 4 * 8
