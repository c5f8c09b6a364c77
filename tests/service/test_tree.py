from __future__ import annotations

import pytest

from banyan.budget import Budget
from banyan.node import Brief, Node
from banyan.packed_state import PackedState
from banyan.ports import ChildNode
from banyan.state import pack
from tests.service.house import TEXT, House, answered, assert_problem, turn_log


def child(path: str) -> ChildNode:
    node = Node(
        path=path,
        goal="A part",
        brief=Brief(task_goal="Why?", text="Look closely."),
        packed_state=PackedState(form="prefix", tokens=300, bytes=700, name="0.0"),
    )
    return ChildNode(packed=pack(node), budget=Budget(tokens=100, nodes=0))


async def grow(house: House, solve: str, num_children: int) -> None:
    """Let the root delegate."""
    claimed = await house.claim(solve)
    await house.store.spawn(
        claimed.lease,
        [child(f"0.{index}") for index in range(num_children)],
        packed=claimed.packed,
        kept=Budget(tokens=0, nodes=0),
        log=turn_log(),
        event={"kind": "delegate"},
    )


async def test_a_tree_is_paged_in_the_order_of_creation(house: House) -> None:
    solve = await house.submit()
    await grow(house, solve, 4)
    first = (await house.http.get(f"/solve/{solve}/tree", params={"limit": 2})).json()
    last = (await house.http.get(f"/solve/{solve}/tree?offset=3&limit=2")).json()

    assert (first["total"], first["offset"], first["limit"]) == (5, 0, 2)
    assert [node["path"] for node in first["nodes"]] == ["0", "0.0"]
    assert [node["path"] for node in last["nodes"]] == ["0.2", "0.3"]
    assert first["nodes"][0]["status"] == "suspended"
    assert first["nodes"][0]["num_children"] == 4
    assert (first["nodes"][1]["depth"], first["nodes"][1]["outcome"]) == (1, None)


async def test_a_page_behind_the_end_is_empty(house: House) -> None:
    solve = await house.submit()
    page = (await house.http.get(f"/solve/{solve}/tree?offset=10")).json()

    assert (page["total"], page["nodes"]) == (1, [])


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "offset=-1", "offset=x", "limit=1.5"])
async def test_a_page_out_of_range_is_refused(house: House, query: str) -> None:
    solve = await house.submit()

    problem = assert_problem(
        await house.http.get(f"/solve/{solve}/tree?{query}"), 422, "invalid_input"
    )
    assert problem["errors"][0]["field"] == f"query.{query.partition('=')[0]}"


async def test_a_node_shows_what_it_was_asked_and_what_it_did(house: House) -> None:
    document = await house.upload()
    solve = await house.submit(documents=[{"id": document}])
    await house.finish(solve, answered(document))
    node = (await house.http.get(f"/solve/{solve}/nodes/0")).json()

    assert (node["goal"], node["status"], node["outcome"]) == ("Why?", "finished", "ok")
    assert node["inputs"] == [{"document": document, "start": 0, "end": len(TEXT)}]
    assert (node["answer"], node["critical_path_s"]) == ("By roots.", 1.0)
    [turn] = node["turns"]
    assert turn["prompt"] == "How does a banyan grow?"
    assert turn["action"] == '{"kind": "answer", "answer": "By roots.", "citations": [1]}'
    assert (turn["decision"]["score"], turn["decision"]["threshold"]) == (-1.5, 4.0)
    assert (turn["prompt_tokens"], turn["cached_tokens"], turn["policy"]) == (3, 1, "base")
    assert "prompt_token_ids" not in turn


async def test_a_child_shows_its_brief(house: House) -> None:
    solve = await house.submit()
    await grow(house, solve, 2)
    node = (await house.http.get(f"/solve/{solve}/nodes/0.1")).json()

    assert (node["goal"], node["brief"], node["depth"]) == ("A part", "Look closely.", 1)
    assert node["turns"] == []


async def test_a_child_shows_in_which_form_it_was_handed_its_parents_context(house: House) -> None:
    solve = await house.submit(state="prefix")
    await grow(house, solve, 1)
    root = (await house.http.get(f"/solve/{solve}/nodes/0")).json()
    node = (await house.http.get(f"/solve/{solve}/nodes/0.0")).json()

    assert root["packed_state"] is None
    assert node["packed_state"] == {"form": "prefix", "bytes": 700, "tokens": 300}


async def test_a_node_that_does_not_exist_is_not_found(house: House) -> None:
    solve = await house.submit()

    assert_problem(await house.http.get(f"/solve/{solve}/nodes/0.7"), 404, "not_found")


@pytest.mark.parametrize("path", ["1", "0.", "0.01", "x", "0.1.", "0..1", "0.-1"])
async def test_what_is_no_path_of_a_node_is_refused(house: House, path: str) -> None:
    solve = await house.submit()

    assert_problem(await house.http.get(f"/solve/{solve}/nodes/{path}"), 422, "invalid_input")


async def test_a_cancelled_tree_says_so_at_every_node(house: House) -> None:
    solve = await house.submit()
    await grow(house, solve, 2)
    await house.http.post(f"/solve/{solve}/cancel")
    page = (await house.http.get(f"/solve/{solve}/tree")).json()

    assert [node["outcome"] for node in page["nodes"]] == ["cancelled"] * 3
