"""Whatever leaves the process is seen, so that a test that saw nothing says something."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress

import httpx
import pytest


async def fetch() -> None:
    async with httpx.AsyncClient(trust_env=False) as http:
        await http.get("http://127.0.0.1:9/")


async def connect() -> None:
    await asyncio.open_connection("127.0.0.1", 9)


async def look_up() -> None:
    await asyncio.get_running_loop().getaddrinfo("localhost", 9)


async def send() -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as sender:
        sender.sendto(b"news", ("127.0.0.1", 9))


async def start() -> None:
    await (await asyncio.create_subprocess_exec("true")).wait()


async def start_in_a_shell() -> None:
    os.system("true")  # noqa: ASYNC221, S605, S607  # as bad as can be


async def start_at_once() -> None:
    true = shutil.which("true")
    assert true is not None
    os.waitpid(os.posix_spawn(true, ["true"], {}), 0)  # noqa: ASYNC221, ASYNC222  # ends at once


@pytest.mark.parametrize(
    ("act", "event"),
    [
        (fetch, "socket.connect"),
        (connect, "socket.connect"),
        (look_up, "socket.getaddrinfo"),
        (send, "socket.sendto"),
        (start, "subprocess.Popen"),
        (start_in_a_shell, "os.system"),
        (start_at_once, "os.posix_spawn"),
    ],
)
async def test_whatever_leaves_the_process_is_seen(
    act: Callable[[], Awaitable[None]], event: str, effects: Counter[str]
) -> None:
    with suppress(OSError, httpx.ConnectError):  # nobody answers at port 9
        await act()
    assert event in effects


async def test_what_stays_inside_is_not(effects: Counter[str]) -> None:
    await asyncio.sleep(0)
    assert not effects
