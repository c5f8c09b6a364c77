"""The proxy and what it does to messages: each kind of weather on a line to an echo server."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from banyan.adapters.celery_queue import CHILDREN
from banyan.local.ports import LOOPBACK
from bench.chaos.hints import LOST, CommandRewriter, Mischief
from bench.chaos.proxy import Proxy, Weather

SILENCE_S = 0.1
MESSAGE = b"0123456789"


@pytest.fixture
async def proxy() -> AsyncIterator[Proxy]:
    """A proxy in front of a server that sends back what it gets."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1_024):
            writer.write(data)
        writer.close()

    server = await asyncio.start_server(echo, LOOPBACK, 0)
    with Proxy(server.sockets[0].getsockname()[1], delay_s=0.0) as proxy:
        yield proxy
    server.close()


async def sent_through(proxy: Proxy, weather: Weather) -> bytes | None:
    """What comes back of a message that is sent in this weather; None for silence."""
    reader, writer = await asyncio.open_connection(LOOPBACK, proxy.port)
    proxy.weather = weather
    writer.write(MESSAGE)
    try:
        async with asyncio.timeout(SILENCE_S if proxy.weather in SILENT else 10.0):
            return await reader.readexactly(len(MESSAGE))
    except asyncio.IncompleteReadError as error:
        return error.partial
    except ConnectionError:
        return b""
    except TimeoutError:
        return None
    finally:
        writer.transport.abort()


SILENT = {"black_hole", "half_open"}


@pytest.mark.parametrize(
    ("weather", "arrives"),
    [
        ("clear", MESSAGE),
        ("delay", MESSAGE),
        ("reset", b""),
        ("cut", MESSAGE[:5]),
        ("black_hole", None),
        ("half_open", None),
    ],
)
async def test_weather_does_what_its_name_says(
    proxy: Proxy, weather: Weather, arrives: bytes | None
) -> None:
    assert await sent_through(proxy, weather) == arrives
    assert proxy.num_harmed == (arrives != MESSAGE)


async def test_a_line_that_was_silenced_stays_silent(proxy: Proxy) -> None:
    reader, writer = await asyncio.open_connection(LOOPBACK, proxy.port)
    proxy.weather = "half_open"
    writer.write(MESSAGE)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(SILENCE_S):
            await reader.read(1)
    proxy.weather = "clear"
    writer.write(MESSAGE)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(SILENCE_S):
            await reader.read(1)
    writer.transport.abort()

    assert await sent_through(proxy, "clear") == MESSAGE


def command(*parts: bytes) -> bytes:
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%b\r\n" % (len(p), p) for p in parts)


@given(st.lists(st.lists(st.binary(), min_size=2), max_size=4), st.integers(1, 7))
def test_other_commands_arrive_as_they_were_sent(commands: list[list[bytes]], size: int) -> None:
    sent = b"".join(command(*parts) for parts in commands)
    rewrite = CommandRewriter(Mischief(doubles=True, reverses=True, loses=1.0))

    arrived = b"".join(rewrite(sent[at : at + size]) for at in range(0, len(sent), size))

    assert arrived == sent


@pytest.mark.parametrize(
    ("mischief", "becomes"),
    [
        (Mischief(), (b"LPUSH", CHILDREN.encode(), b"m")),
        (Mischief(doubles=True), (b"LPUSH", CHILDREN.encode(), b"m", b"m")),
        (Mischief(reverses=True), (b"RPUSH", CHILDREN.encode(), b"m")),
        (Mischief(loses=1.0), (b"LPUSH", LOST, b"m")),
    ],
)
def test_messages_are_doubled_reversed_and_lost(
    mischief: Mischief, becomes: tuple[bytes, ...]
) -> None:
    sent = command(b"LPUSH", CHILDREN.encode(), b"m")
    assert CommandRewriter(mischief)(sent) == command(*becomes)
    assert mischief.num_messages == 1


def test_the_same_seed_loses_the_same_messages() -> None:
    def lost(seed: int) -> list[bool]:
        mischief = Mischief(loses=0.5, chance=random.Random(seed))  # noqa: S311 - no secret
        sent = [b"LPUSH", CHILDREN.encode(), b"m"]
        return [mischief.of(sent)[1] == LOST for _ in range(50)]

    assert lost(1) == lost(1) != lost(2)
