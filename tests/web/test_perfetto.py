"""Perfetto opens the traces of real solves and shows what the solves' own events tell."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.async_api import Browser, expect

from banyan.node import parent_path
from banyan.trace import SLOTS
from tests.fixtures.waiting import eventually
from tests.kernel.test_trace import DELEGATED, node, story, traced
from tests.kernel.test_trace_format import DAMAGES, Damage, whole
from tests.web.perfetto import Perfetto, perfetto
from tests.web.solves import submit

ALWAYS = {"mode": "always"}

LOST_AND_RESUMED = [
    *DELEGATED,
    *story(
        (20.0, "tree.resumed", {"generation": 2}),
        (21.0, "node.claimed", node("0.1", worker="dead", epoch=3)),
        (24.0, "node.requeued", node("0.1", reason="lease_expired")),
        (25.0, "node.claimed", node("0.1", worker="w", epoch=5)),
        (25.0, "node.turn", node("0.1", seconds=9.0, kind="answer")),  # longer than its stay
        (25.0, "node.finished", node("0.1", status="ok")),
        (25.0, "node.claimed", node("0", worker="w", epoch=6)),
    ),
]

SLICES = """
SELECT slice.category, slice.name, process.name AS process, thread.name AS lane, ts, dur
FROM slice JOIN thread_track ON slice.track_id = thread_track.id
JOIN thread USING (utid) JOIN process USING (upid)
"""
ARROWS = """
SELECT above.name AS parent, below.name AS child
FROM flow JOIN slice AS called ON flow.slice_out = called.id
JOIN slice AS above ON above.id = called.parent_id
JOIN slice AS below ON flow.slice_in = below.id
"""


@pytest.fixture(scope="module")
async def viewer(browser: Browser) -> AsyncIterator[Perfetto]:
    async with perfetto(browser) as viewer:
        yield viewer


async def events_of(http: httpx.AsyncClient, solve: str) -> list[tuple[str, dict[str, Any]]]:
    """Type and data of everything that happened to a finished solve."""
    stream = await http.get(f"/solve/{solve}/events", headers={"Accept": "text/event-stream"})
    told = [json.loads(line[6:]) for line in stream.text.splitlines() if line.startswith("data: {")]
    return [(one["type"], one["data"]) for one in told if "type" in one]


async def is_spread(http: httpx.AsyncClient, solve: str) -> bool:
    """Whether some of its nodes are below the root's children."""
    nodes = (await http.get(f"/solve/{solve}/tree?limit=200")).json()["nodes"]
    return len(nodes) > 4


async def shown(viewer: Perfetto, http: httpx.AsyncClient, solve: str, folder: Path) -> str:
    """Open the trace of a solve in Perfetto's page; its text."""
    text = (await http.get(f"/solve/{solve}/trace")).text
    file = folder / f"{solve}.trace.json"
    file.write_text(text, encoding="utf-8")
    await viewer.show(file)
    return text


async def test_a_solve_is_shown_with_every_stay_call_wait_and_arrow(
    viewer: Perfetto, http: httpx.AsyncClient, tmp_path: Path
) -> None:
    """Parents are suspended in it while their children run, so that they have two stays."""
    solve = await submit(http, "fan-out 3", gate=ALWAYS, limits={"max_depth": 2})
    await http.get(f"/solve/{solve}", headers={"Prefer": "wait=60"})
    events = await events_of(http, solve)
    nodes = (await http.get(f"/solve/{solve}/tree?limit=200")).json()["nodes"]
    await shown(viewer, http, solve, tmp_path)

    slices = await viewer.rows(SLICES)
    assert await viewer.complaints() == []
    assert len(nodes) == 13
    claims = Counter(f"node {data['node']}" for kind, data in events if kind == "node.claimed")
    assert Counter(one["name"] for one in slices if one["category"] == "node") == claims
    assert claims["node 0"] == claims["node 0.1"] == 2
    turns = sorted(data["seconds"] for kind, data in events if kind == "node.turn")
    calls = sorted(one["dur"] / 1e9 for one in slices if one["category"] == "model")
    assert calls == pytest.approx(turns, abs=1e-6)
    assert {one["lane"].split()[0] for one in slices if one["process"] == "slots"} == {
        "slot",
        "tree",
    }
    assert {one["lane"].split()[0] for one in slices if one["process"] == "queue"} == {"waiting"}
    paths = [one["path"] for one in nodes if one["path"] != "0"]
    assert sorted((one["parent"], one["child"]) for one in await viewer.rows(ARROWS)) == sorted(
        (f"node {parent_path(path)}", f"node {path}") for path in paths
    )
    await expect(viewer.page.get_by_text(f"slots {SLOTS}").first).to_be_visible()
    await expect(viewer.page.get_by_text("something went wrong")).to_be_hidden()


async def test_a_solve_that_was_cancelled_and_resumed_is_shown_whole(
    viewer: Perfetto, http: httpx.AsyncClient, tmp_path: Path
) -> None:
    solve = await submit(http, "fan-out 3", gate=ALWAYS, limits={"max_depth": 5})
    await eventually(lambda: is_spread(http, solve))
    await http.post(f"/solve/{solve}/cancel")
    await viewer.read((await http.get(f"/solve/{solve}/trace")).text)
    assert await viewer.complaints() == []
    await http.post(f"/solve/{solve}/resume", json={})
    await http.get(f"/solve/{solve}", headers={"Prefer": "wait=60"})
    await shown(viewer, http, solve, tmp_path)

    events = await events_of(http, solve)
    told = await viewer.rows("SELECT name FROM slice WHERE category = 'tree' ORDER BY ts")
    assert await viewer.complaints() == []
    assert [one["name"] for one in told] == [kind for kind, _ in events if kind.startswith("tree.")]
    assert "tree.resumed" in {one["name"] for one in told}


async def test_what_was_lost_and_what_still_runs_is_read_without_complaint(
    viewer: Perfetto,
) -> None:
    await viewer.read(json.dumps(whole(traced(LOST_AND_RESUMED))))
    stays = await viewer.rows("SELECT name, dur FROM slice WHERE category = 'node' ORDER BY ts")
    assert await viewer.complaints() == []
    assert [one["name"] for one in stays[-3:]] == ["node 0.1", "node 0.1", "node 0"]


@pytest.mark.parametrize(
    "one",
    [pytest.param(one, id=name) for name, one in DAMAGES.items() if one.counter is not None],
)
async def test_what_perfetto_complains_of_is_what_our_rules_expect(
    viewer: Perfetto, one: Damage
) -> None:
    trace = whole(traced(DELEGATED))
    one.damage(trace)
    await viewer.read(json.dumps(trace))
    complaints = await viewer.complaints()
    assert any(re.fullmatch(str(one.counter), counter) for counter in complaints), complaints
