"""Exit codes that scripts can use, and one JSON object on stdout, whatever the command."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess

import pytest

from banyan.client.exits import Exit
from banyan.local.ports import LOOPBACK
from banyan.node import Failure, Outcome
from tests.cli.commands import BANYAN, banyan, environment
from tests.cli.test_looking import run, served
from tests.docs.blocks import ROOT
from tests.service.house import answered
from tests.service.served import Served

__all__ = ["served"]

FAILURE = Failure(code="worker_lost", message="A node killed its workers.")
CUT = answered("", citations=(), covered=()).model_copy(
    update={"status": "over_budget", "complete": False, "failure": FAILURE}
)
FAILED = Outcome(status="failed", failure=FAILURE, complete=False)


@pytest.mark.parametrize(
    ("outcome", "status", "code"),
    [(CUT, "partial", Exit.PARTIAL), (FAILED, "failed", Exit.FAILED)],
    ids=["partial", "failed"],
)
async def test_how_a_solve_ended_is_the_exit_code_of_following_it(
    served: Served, outcome: Outcome, status: str, code: Exit
) -> None:
    solve = await served.house.submit()
    await served.house.finish(solve, outcome)
    followed = await run(served, "follow", solve, "--json")

    assert followed.returncode == code, followed.stderr
    assert json.loads(followed.stdout.splitlines()[-1])["status"] == status


async def test_a_service_that_fails_is_an_error_of_its_own() -> None:
    async def fail(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(fail, LOOPBACK) as server:
        port = server.sockets[0].getsockname()[1]
        done = await asyncio.to_thread(
            banyan, "list", "--json", "--url", f"http://{LOOPBACK}:{port}"
        )

    assert done.returncode == Exit.ERROR
    assert json.loads(done.stdout)["event"] == "error"


async def test_who_leaves_a_solve_with_ctrl_c_gets_130_and_it_goes_on(served: Served) -> None:
    solve = await served.house.submit()
    following = await asyncio.create_subprocess_exec(
        *(BANYAN, "follow", solve, "--json", "--url", served.url),
        env=environment(),
        stdout=subprocess.PIPE,
    )
    assert following.stdout is not None
    assert json.loads(await following.stdout.readline())["type"] == "tree.admitted"
    following.send_signal(signal.SIGINT)

    assert await following.wait() == 130
    assert (await served.house.store.get_tree(solve)).status == "queued"


async def test_a_finished_solve_is_resumed_and_told_without_waiting(served: Served) -> None:
    solve = await served.house.submit()
    await served.house.finish(solve, FAILED)
    resumed = await run(served, "resume", solve, "--extra-tokens", "1000", "--detach", "--json")
    listed = await run(served, "list", "--status", "queued", "--json")
    plain = await run(served, "list")

    assert json.loads(resumed.stdout)["status"] == "queued", resumed.stderr
    assert resumed.returncode == Exit.OK
    assert [one["id"] for one in json.loads(listed.stdout)["solves"]] == [solve]
    assert plain.stdout.split("\t")[:2] == [solve, "queued"]


async def test_cancelling_tells_the_solve_as_json(served: Served) -> None:
    solve = await served.house.submit()
    cancelled = await run(served, "cancel", solve, "--json")

    assert cancelled.returncode == Exit.OK
    assert json.loads(cancelled.stdout)["status"] == "cancelled"


def test_every_exit_code_is_documented() -> None:
    page = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    assert [code for code in Exit if f"\n| {code.value} |" not in page] == []
