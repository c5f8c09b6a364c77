"""Commands that look at, follow and end a solve, against a service on twins."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from banyan.node import Failure, Outcome
from service.settings import ServiceSettings
from tests.cli.commands import banyan
from tests.service.house import House, answered
from tests.service.served import Served, serve

NOWHERE = "solve_" + "0" * 28


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    house = House(ServiceSettings(heartbeat_s=0.02))
    async with house.http, serve(house) as served:
        yield served


async def run(served: Served, *arguments: str) -> subprocess.CompletedProcess[str]:
    return await asyncio.to_thread(banyan, *arguments, "--url", served.url)


async def test_follow_tells_events_and_the_answer(served: Served) -> None:
    solve = await served.house.submit()
    following = asyncio.create_task(run(served, "follow", solve))
    await served.house.finish(solve, answered("", citations=(), covered=()))
    plain = await following
    as_json = await run(served, "follow", solve, "--json")

    assert (plain.returncode, as_json.returncode) == (0, 0)
    assert "node 0 ok (1 of 1)" in plain.stderr
    assert "By roots." in plain.stdout
    lines = [json.loads(line) for line in as_json.stdout.splitlines()]
    assert [line["seq"] for line in lines[:-1]] == list(range(1, len(lines)))
    assert lines[-1]["answer"] == "By roots."


async def test_files_are_named_behind_the_goal_or_by_an_option(
    served: Served, tmp_path: Path
) -> None:
    one, other = tmp_path / "one.txt", tmp_path / "other.txt"
    one.write_text("Banyans drop roots. " * 50)
    other.write_text("Roots become trunks. " * 100)
    ways = [["why", str(one), str(other)], ["why", "-f", str(one), "--file", str(other)]]
    ways += [["why", str(one), "-f", str(other)], ["why", str(one)]]
    told = [await run(served, "estimate", *way, "--json", "--window", "2048") for way in ways]
    tokens = [json.loads(one.stdout)["input_tokens"] for one in told]

    assert tokens[0] == tokens[1] == tokens[2] > 2 * tokens[3] > 0


async def test_tree_shows_every_node_and_one_of_them(served: Served) -> None:
    solve = await served.house.submit()
    plain = await run(served, "tree", solve)
    as_json = await run(served, "tree", solve, "--json")
    node = await run(served, "tree", solve, "--node", "0", "--json")

    assert plain.stdout == "0  queued\n"
    assert [one["path"] for one in json.loads(as_json.stdout)["nodes"]] == ["0"]
    assert json.loads(node.stdout)["goal"] == "Why?"


async def test_tree_says_how_a_node_ended_once(served: Served) -> None:
    cancelled = await served.house.submit()
    await served.house.http.post(f"/solve/{cancelled}/cancel")
    shown = [(await run(served, "tree", cancelled)).stdout]
    for status, code in (("failed", "failed"), ("over_budget", "token_budget_exhausted")):
        solve = await served.house.submit()
        failure = Failure(code=code, message="so it is")
        await served.house.finish(solve, Outcome(status=status, complete=False, failure=failure))
        shown.append((await run(served, "tree", solve)).stdout)

    assert shown == [
        "0  cancelled\n",
        "0  failed\n",
        "0  over_budget  token_budget_exhausted\n",
    ]


async def test_cancel_ends_a_solve_and_following_it_says_so(served: Served) -> None:
    solve = await served.house.submit()
    cancelled = await run(served, "cancel", solve)
    followed = await run(served, "follow", solve)

    assert cancelled.stdout == f"{solve} is cancelled\n"
    assert (cancelled.returncode, followed.returncode) == (0, 7)


@pytest.mark.parametrize("command", ["follow", "tree", "cancel", "resume", "trace"])
async def test_what_is_not_there_is_named(served: Served, command: str) -> None:
    done = await run(served, command, NOWHERE, "--json")

    assert done.returncode == 2
    assert json.loads(done.stdout)["code"] == "not_found"
