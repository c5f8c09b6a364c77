"""Events: every transition leaves one, in order, without a gap, for as many readers as like."""

from __future__ import annotations

import asyncio

import pytest

from banyan.budget import Budget
from banyan.errors import EventsTrimmed, NotFound
from banyan.tree import Event
from tests.fixtures.waiting import eventually
from tests.store.conftest import MakeForest
from tests.store.trees import FAILED, PARTIAL, Forest, log


async def follow(forest: Forest, tree: str, seen: list[Event], after: int = 0) -> None:
    async for event in forest.store.events(tree, after=after):
        seen.append(event)  # noqa: PERF401 - others look at the list while it grows


async def test_the_events_tell_the_whole_story(forest: Forest) -> None:
    tree = await forest.plant()
    await forest.spawn(await forest.lease(tree), 1, turn=log(3))
    await forest.finish(await forest.lease(tree, "0.0"), turn=log(3))
    lease = await forest.lease(tree)
    await forest.store.delta(lease, {"text": "The answer"})
    await forest.finish(lease)
    events = await forest.history(tree)
    assert [(event.type, event.data) for event in events] == [
        ("tree.admitted", {}),
        ("node.claimed", {"node": "0", "worker": "w1", "epoch": 1}),
        ("node.turn", {"node": "0", "kind": "note"}),
        ("node.spawned", {"node": "0", "children": 1, "why": "test"}),
        ("node.claimed", {"node": "0.0", "worker": "w1", "epoch": 1}),
        ("node.turn", {"node": "0.0", "kind": "note"}),
        ("node.finished", {"node": "0.0", "status": "ok"}),
        ("node.claimed", {"node": "0", "worker": "w1", "epoch": 2}),
        ("answer.delta", {"node": "0", "text": "The answer"}),
        ("node.finished", {"node": "0", "status": "ok"}),
        ("tree.finished", {"status": "completed"}),
    ]
    assert [event.seq for event in events] == list(range(1, 12))
    assert (await forest.store.get_tree(tree)).last_event == 11


async def test_readers_get_events_as_they_happen_and_end_with_the_tree(forest: Forest) -> None:
    tree = await forest.plant()
    seen: list[Event] = []
    reader = asyncio.create_task(follow(forest, tree, seen))

    async def caught_up() -> bool:
        return len(seen) == (await forest.store.get_tree(tree)).last_event

    await eventually(caught_up)
    lease = await forest.lease(tree)
    await eventually(caught_up)
    await forest.store.delta(lease, {"text": "é 世界 \N{GRINNING FACE}"})
    await eventually(caught_up)
    assert not reader.done()
    assert seen[-1].data["text"] == "é 世界 \N{GRINNING FACE}"
    await forest.finish(lease)
    await reader
    assert [event.seq for event in seen] == [1, 2, 3, 4, 5]


async def test_a_reader_goes_on_behind_the_last_event_it_saw(forest: Forest) -> None:
    tree = await forest.plant()
    lease = await forest.lease(tree)
    seen: list[Event] = []
    reader = asyncio.create_task(follow(forest, tree, seen, after=1))
    await eventually(lambda: _length(seen))
    await forest.finish(lease)
    await reader
    assert [event.seq for event in seen] == [2, 3, 4]


async def _length(seen: list[Event]) -> int:
    return len(seen)


async def test_a_finished_trees_events_end_at_once(forest: Forest) -> None:
    tree = await forest.plant()
    await forest.run(tree)
    seen: list[Event] = []
    await follow(forest, tree, seen, after=2)
    await follow(forest, tree, seen, after=4)
    assert [event.seq for event in seen] == [3, 4]


async def test_many_readers_of_many_trees_share_what_they_need(forest: Forest) -> None:
    trees = [await forest.plant() for _ in range(5)]
    seen: dict[tuple[str, int], list[Event]] = {
        (tree, number): [] for tree in trees for number in range(4)
    }
    readers = [
        asyncio.create_task(follow(forest, tree, events)) for (tree, _), events in seen.items()
    ]
    for tree in trees:
        await forest.spawn(await forest.lease(tree), 5)
        for index in range(5):
            await forest.run(tree, f"0.{index}")
        await forest.run(tree)
    await asyncio.gather(*readers)
    for (tree, _), events in seen.items():
        assert [event.seq for event in events] == list(range(1, 17)), tree


async def test_a_slow_reader_loses_nothing(forest: Forest) -> None:
    tree = await forest.plant()
    lease = await forest.lease(tree)
    events = aiter(forest.store.events(tree))
    seen = [await anext(events), await anext(events)]
    waiting = asyncio.ensure_future(anext(events))
    for number in range(2_000):
        await forest.store.delta(lease, {"number": number})
    await forest.finish(lease)
    seen.append(await waiting)
    seen += [event async for event in events]
    assert [event.seq for event in seen] == list(range(1, 2_005))


async def test_a_reader_reads_through_a_resume(forest: Forest) -> None:
    tree = await forest.plant()
    await forest.run(tree, "0", FAILED)
    await forest.store.resume(tree, extra=Budget(tokens=0, nodes=0), deadline_s=60.0)
    await forest.run(tree, "0", PARTIAL)
    seen: list[Event] = []
    await follow(forest, tree, seen)
    assert [event.type for event in seen].count("tree.finished") == 2
    assert seen[-1].data == {"status": "partial"}
    assert {"generation": 2} in [event.data for event in seen]


async def test_a_reader_that_leaves_disturbs_no_other(forest: Forest) -> None:
    tree = await forest.plant()
    stays: list[Event] = []
    leaver = asyncio.create_task(follow(forest, tree, []))
    stayer = asyncio.create_task(follow(forest, tree, stays))
    await eventually(lambda: _length(stays))
    leaver.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaver
    await forest.run(tree)
    await stayer
    assert len(stays) == 4


async def test_finished_trees_are_forgotten_after_the_retention(make: MakeForest) -> None:
    forest = make(retention_s=0.001)
    tree = await forest.plant(deadline_s=0.001)
    await forest.run(tree)

    async def gone() -> bool:
        try:
            await forest.store.get_tree(tree)
        except NotFound:
            return True
        return False

    await eventually(gone)
    with pytest.raises(NotFound):
        await forest.store.list_nodes(tree, offset=0, limit=1)


async def test_a_reader_of_events_that_are_not_kept_any_more_is_told(make: MakeForest) -> None:
    forest = make(max_events=3)
    tree = await forest.plant()
    record = await forest.store.get_tree(tree)
    assert (record.first_event, record.last_event) == (1, 1)
    lease = await forest.lease(tree)
    await forest.store.delta(lease, {"text": "The"})
    await forest.finish(lease)
    record = await forest.store.get_tree(tree)
    assert (record.first_event, record.last_event) == (3, 5)
    for after in (0, 1):
        with pytest.raises(EventsTrimmed):
            await follow(forest, tree, [], after=after)
    seen: list[Event] = []
    await follow(forest, tree, seen, after=2)
    assert [event.seq for event in seen] == [3, 4, 5]
