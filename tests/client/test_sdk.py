"""The synchronous client, in a thread beside the service; and its likeness to the other one."""

from __future__ import annotations

import asyncio
import inspect
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from banyan.client import AsyncClient, Client
from banyan.client.errors import ServiceProblem, ServiceUnreachable, WaitTimedOut
from banyan.client.results import SolveResult, StreamEvent
from tests.service.house import TEXT, House
from tests.service.served import Served

ROOT = Path(__file__).parents[2]


@pytest.mark.usefixtures("worker")
async def test_a_solve_gives_a_typed_result(served: Served, tmp_path: Path) -> None:
    file = tmp_path / "tree.txt"
    file.write_text(TEXT)

    def solve() -> SolveResult:
        with Client(served.url) as banyan:
            return banyan.solve("How?", files=[file], texts=["more"], limits={"max_depth": 1})

    result = await asyncio.to_thread(solve)

    assert (result.status, result.answer) == ("completed", "By roots.")


@pytest.mark.usefixtures("worker")
async def test_a_stream_brings_every_event_once(served: Served) -> None:
    def follow() -> list[StreamEvent]:
        with Client(served.url) as banyan:
            return list(banyan.stream(banyan.submit("How?").id))

    events = await asyncio.to_thread(follow)

    assert [event.seq for event in events[:-1]] == list(range(1, len(events)))
    assert events[-1].result is not None


async def test_impatience_leaves_the_solve_running(served: Served) -> None:
    def solve() -> SolveResult:
        with Client(served.url) as banyan:
            with pytest.raises(WaitTimedOut) as raised:
                banyan.solve("How?", timeout_s=0.01)
            return banyan.get(raised.value.solve_id)

    assert (await asyncio.to_thread(solve)).status == "queued"


async def test_nodes_can_be_looked_at_and_a_solve_cancelled(served: Served) -> None:
    house: House = served.house
    solve = await house.submit()

    def look() -> tuple[int, str, str]:
        with Client(served.url) as banyan:
            page, node = banyan.tree(solve), banyan.node(solve, "0")
            return page.total, node.goal, banyan.cancel(solve).status

    assert await asyncio.to_thread(look) == (1, "Why?", "cancelled")


async def test_a_problem_of_a_stream_is_raised(served: Served) -> None:
    def follow() -> list[StreamEvent]:
        with Client(served.url) as banyan:
            return list(banyan.stream("solve_" + "0" * 28))

    with pytest.raises(ServiceProblem, match="no solve"):
        await asyncio.to_thread(follow)


def test_a_service_that_is_not_there_is_unreachable() -> None:
    with (
        Client("http://127.0.0.1:9", max_attempts=1) as banyan,
        pytest.raises(ServiceUnreachable, match="no answer"),
    ):
        banyan.get("solve_1")


def test_results_of_a_newer_service_are_understood() -> None:
    body = {
        "id": "solve_1",
        "status": "completed",
        "answer": "So.",
        "policy": "v9",
        "usage": {"llm_calls": 1, "joules": 5},
        "mood": "good",
    }
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json=body))
    with Client("http://banyan.test", transport=transport) as banyan:
        result = banyan.get("solve_1")

    assert (result.answer, result.usage.llm_calls) == ("So.", 1)


def public(client: type) -> dict[str, list[str]]:
    return {
        name: list(inspect.signature(method).parameters)
        for name, method in inspect.getmembers(client, inspect.isfunction)
        if not name.startswith("_") or name == "__init__"
    }


def test_both_clients_offer_the_same() -> None:
    assert public(Client) == public(AsyncClient)


@pytest.mark.usefixtures("worker")
async def test_the_first_example_runs(served: Served, tmp_path: Path) -> None:
    file = tmp_path / "tree.txt"
    file.write_text(TEXT)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(ROOT / "examples" / "solve.py"),
        str(file),
        "How?",
        env={"PYTHONPATH": str(ROOT), "BANYAN_URL": served.url},
        stdout=subprocess.PIPE,
    )
    output, _ = await process.communicate()

    assert process.returncode == 0
    assert output.decode().splitlines()[:2] == ["completed", "By roots."]
