"""Feedback and rollouts from Python and from the command line."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from banyan.client import AsyncClient, Client
from banyan.client.errors import ClientError, ServiceProblem
from banyan.client.exits import Exit
from banyan.client.results import Received
from banyan.state import unpack
from banyan.task import Task
from service.settings import ServiceSettings
from tests.cli.commands import banyan as banyan_command
from tests.client.conftest import work
from tests.service.house import House
from tests.service.served import Served, serve


@pytest.fixture
async def logging(tmp_path: Path) -> AsyncIterator[Served]:
    """A service that keeps a trajectory log, and a worker that answers what comes."""
    house = House(ServiceSettings(trajectory_dir=tmp_path))
    async with house.http, serve(house) as served:
        working = asyncio.create_task(work(house))
        yield served
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)


async def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return await asyncio.to_thread(banyan_command, *arguments)


def kept(root: Path) -> list[dict[str, Any]]:
    [path] = (root / "feedback").iterdir()
    return [json.loads(line) for line in path.read_text().splitlines() if line]


async def test_both_clients_give_feedback(logging: Served, tmp_path: Path) -> None:
    solve = await logging.house.submit()

    def give() -> Received:
        with Client(logging.url) as banyan:
            return banyan.feedback(solve, 0.5, source="judge", comment="Half.", key="k1")

    first = await asyncio.to_thread(give)
    async with AsyncClient(logging.url) as banyan:
        second = await banyan.feedback(solve, 1.0)
    assert (first.key, first.source, first.value) == ("k1", "judge", 0.5)
    assert (second.node, second.source) == ("0", "user")
    assert [line["comment"] for line in kept(tmp_path)] == ["Half.", None]


async def test_feedback_from_the_command_line(logging: Served, tmp_path: Path) -> None:
    solve = await logging.house.submit()
    where = ("--url", logging.url)
    said = await command("feedback", solve, "0.25", "--comment", "No.", *where)
    as_json = await command("feedback", solve, "1", "--source", "verifier", "--json", *where)
    assert (said.returncode, as_json.returncode) == (0, 0)
    assert f"0.25 for node 0 of {solve}" in said.stdout
    assert json.loads(as_json.stdout)["source"] == "verifier"
    assert [line["value"] for line in kept(tmp_path)] == [0.25, 1.0]


async def test_feedback_that_is_refused_says_why(logging: Served) -> None:
    unknown = await command("feedback", "solve_" + "0" * 28, "1", "--url", logging.url)
    assert unknown.returncode == Exit.USAGE
    assert "no solve" in unknown.stderr
    assert (await command("feedback", "solve_1", "2")).returncode == Exit.USAGE


async def test_without_a_log_feedback_is_a_problem(served: Served) -> None:
    solve = await served.house.submit()
    async with AsyncClient(served.url) as banyan:
        with pytest.raises(ServiceProblem) as raised:
            await banyan.feedback(solve, 1.0)
    assert raised.value.code == "log_off"
    assert "BANYAN_TRAJECTORY_DIR" in raised.value.hint


async def test_a_rollout_and_an_opt_out_from_the_command_line(logging: Served) -> None:
    where = ("--url", logging.url)
    rollout = await command("solve", "Why?", "--rollout-group", "g", *where)
    kept_out = await command("solve", "Why?", "--no-train", *where)
    assert (rollout.returncode, kept_out.returncode) == (0, 0)
    first, second = [unpack(one.task, Task) for one in logging.house.store.admitted]
    assert (first.profile, first.group_id, first.gate.mode) == ("rollout", "g", "sampled")
    assert (second.profile, second.train) == ("serve", False)


def test_a_reply_that_is_no_receipt_is_told() -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json={"ok": True}))
    with (
        Client("http://banyan.test", transport=transport) as banyan,
        pytest.raises(ClientError, match="did not answer as Banyan does"),
    ):
        banyan.feedback("solve_1", 1.0)
