"""A service behind a real server on a real socket, on the loop of the test."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
import uvicorn

from service.main import Server
from tests.fixtures.waiting import until
from tests.service.house import House


@dataclass
class Served:
    """A house, its address, and its server."""

    house: House
    server: uvicorn.Server
    address: tuple[str, int]

    @property
    def url(self) -> str:
        """Where clients find it."""
        return f"http://{self.address[0]}:{self.address[1]}"

    async def follow(
        self, http: httpx.AsyncClient, solve: str, headers: dict[str, str] | None = None
    ) -> list[dict[str, str]]:
        """All frames of a solve's event stream until the service closes it."""
        path = f"/solve/{solve}/events"
        async with http.stream("GET", path, headers=headers or {}) as reply:
            assert reply.status_code == 200, await reply.aread()
            return [frame async for frame in frames_of(reply)]


async def frames_of(reply: httpx.Response) -> AsyncIterator[dict[str, str]]:
    """The frames of an event stream as they come; a comment has the key ''."""
    rest = ""
    async for text in reply.aiter_text():
        *blocks, rest = (rest + text).split("\n\n")
        for block in blocks:
            lines = [line.partition(":") for line in block.split("\n")]
            yield {name: value.removeprefix(" ") for name, _, value in lines}


@asynccontextmanager
async def serve(house: House) -> AsyncIterator[Served]:
    """Run uvicorn on a free port until the block ends."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        house.app, http="httptools", log_config=None, access_log=False, timeout_graceful_shutdown=5
    )
    server = Server(config, house.app.state.ports)
    running = asyncio.create_task(server.serve(sockets=[listener]))
    await until(lambda: server.started)
    try:
        yield Served(house, server, listener.getsockname())
    finally:
        house.app.state.ports.stopping.set()
        server.should_exit = True
        await running
        listener.close()
