"""`examples/webhook_receiver.py` takes what the courier sends, once, and nothing that is forged."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from standardwebhooks import Webhook as Signer

from banyan.adapters.destinations import Destinations
from banyan.webhooks import message
from tests.access.test_webhooks import LOOPBACK, Post

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "webhook_receiver.py"


@dataclass
class Running:
    """The example as a process."""

    url: str
    out: asyncio.StreamReader


@pytest.fixture
def post() -> Post:
    post = Post(Destinations(LOOPBACK))
    post.now = time.time()  # a receiver refuses what is older than five minutes
    return post


@pytest.fixture
async def running(post: Post, tmp_path: Path) -> AsyncIterator[Running]:
    secret = tmp_path / "secret"
    secret.write_text((await post.access.signing("acme")).current, encoding="utf-8")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(EXAMPLE), str(secret), "0"), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    yield Running((await process.stdout.readline()).decode().split()[-1], process.stdout)
    process.terminate()
    await process.wait()


async def test_what_the_courier_sends_is_verified_and_taken_once(
    post: Post, running: Running
) -> None:
    first = await post.end(running.url, key="first")
    await post.round()
    second = await post.end(running.url, key="second", events=("solve.completed",))
    await post.round()

    lines = [(await running.out.readline()).decode().split() for _ in range(2)]
    assert lines == [["solve.completed", first], ["solve.completed", second]]


async def test_a_message_that_comes_twice_is_taken_once(post: Post, running: Running) -> None:
    signer = Signer((await post.access.signing("acme")).current)
    async with httpx.AsyncClient(trust_env=False) as http:
        for number in (1, 1, 2):
            at, name = datetime.now(UTC), f"msg_{number}"
            body = message(f"solve_{number}", "completed", at=at.timestamp(), metadata={})
            headers = {
                "webhook-id": name,
                "webhook-timestamp": str(int(at.timestamp())),
                "webhook-signature": signer.sign(name, at, body),
            }
            reply = await http.post(running.url, content=body, headers=headers)
            assert reply.status_code == 204

    lines = [(await running.out.readline()).decode().split()[1] for _ in range(2)]
    assert lines == ["solve_1", "solve_2"]


async def test_what_is_forged_or_too_large_is_refused(running: Running) -> None:
    forged = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(time.time())),
        "webhook-signature": "v1,Zm9yZ2Vk",
    }
    async with httpx.AsyncClient(trust_env=False) as http:
        wrong = await http.post(running.url, content=b'{"type": "x"}', headers=forged)
        bare = await http.post(running.url, content=b"{}")
        large = await http.post(running.url, content=b" " * 100_000, headers=forged)

    assert (wrong.status_code, bare.status_code, large.status_code) == (401, 401, 413)
