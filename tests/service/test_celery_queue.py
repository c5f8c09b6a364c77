"""Hints over a real broker: what arrives, and what happens when the broker does not answer."""

from __future__ import annotations

import base64
import json
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import redis

from banyan.adapters.celery_app import celery_app
from banyan.adapters.celery_queue import CHILDREN, CONTINUATIONS, LOOK, MAX_PATHS, CeleryQueue
from banyan.local.valkey import Valkey
from banyan.ports import Hint
from tests.fixtures.waiting import until

DATABASE = 9


@pytest.fixture
def broker(valkey: Valkey) -> str:
    """The URL of an empty database."""
    url = f"{valkey.url.rpartition('/')[0]}/{DATABASE}"
    with redis.Redis.from_url(url, socket_timeout=10) as client:
        client.flushdb()
    return url


@pytest.fixture
async def queue(broker: str) -> AsyncIterator[CeleryQueue]:
    """A queue on that broker."""
    queue = CeleryQueue(broker)
    yield queue
    await queue.close()


def raw(url: str, name: str) -> list[dict[str, Any]]:
    """The messages that wait in a queue, oldest first."""
    with redis.Redis.from_url(url, socket_timeout=10) as client:
        return [json.loads(one) for one in reversed(client.lrange(name, 0, -1))]


def sent(url: str, name: str) -> list[tuple[dict[str, Any], Any]]:
    """Headers and arguments of the messages that wait in a queue, oldest first."""
    return [
        (message["headers"], json.loads(base64.b64decode(message["body"]))[0])
        for message in raw(url, name)
    ]


def told(message: dict[str, Any]) -> dict[str, Any]:
    """All that a message says, without what differs between any two and what describes it."""
    headers, properties = message["headers"], message["properties"]
    assert headers["id"] == headers["root_id"] == properties["correlation_id"]
    for name in ("id", "root_id", "argsrepr"):
        del headers[name]
    for name in ("correlation_id", "delivery_tag", "reply_to"):
        del properties[name]
    return {**message, "body": json.loads(base64.b64decode(message["body"]))}


async def test_a_hint_becomes_a_message_of_ids_alone(broker: str, queue: CeleryQueue) -> None:
    await queue.send([Hint("solve_1", ("0.0", "0.1"))])
    await queue.close()

    [(headers, arguments)] = sent(broker, CHILDREN)
    assert (headers["task"], arguments) == (LOOK, ["solve_1", ["0.0", "0.1"]])
    assert headers["ignore_result"] is True


async def test_a_message_is_as_celery_itself_would_send_it(broker: str, queue: CeleryQueue) -> None:
    await queue.send([Hint("solve_1", ("0.0",))])
    await queue.close()
    with celery_app(broker) as app:
        app.send_task(LOOK, args=["solve_1", ["0.0"]], queue=CHILDREN, ignore_result=True)

    own, celerys = [told(message) for message in raw(broker, CHILDREN)]
    assert own == celerys


async def test_continuations_have_a_queue_of_their_own(broker: str, queue: CeleryQueue) -> None:
    await queue.send([Hint("solve_1", ("0",), continuation=True), Hint("solve_2", ("0.3",))])
    await queue.close()

    assert [arguments for _, arguments in sent(broker, CONTINUATIONS)] == [["solve_1", ["0"]]]
    assert [arguments for _, arguments in sent(broker, CHILDREN)] == [["solve_2", ["0.3"]]]


async def test_a_large_hint_is_cut_into_messages_in_order(broker: str, queue: CeleryQueue) -> None:
    paths = tuple(f"0.{index}" for index in range(2 * MAX_PATHS + 1))
    await queue.send([Hint("solve_1", paths)])
    await queue.close()

    batches = [arguments[1] for _, arguments in sent(broker, CHILDREN)]
    assert [len(batch) for batch in batches] == [MAX_PATHS, MAX_PATHS, 1]
    assert [path for batch in batches for path in batch] == list(paths)


async def test_an_empty_list_of_hints_sends_nothing(broker: str, queue: CeleryQueue) -> None:
    await queue.send([])
    await queue.close()

    assert sent(broker, CHILDREN) == []


async def test_a_broker_that_is_not_there_holds_no_one_up(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    queue = CeleryQueue(f"redis://127.0.0.1:{port}/0")
    await queue.send([Hint("solve_lost", ("0",))])
    await queue.close()

    assert "hint.lost" in (logged := capsys.readouterr().out)
    assert "solve_lost" in logged


async def test_sending_goes_on_after_the_broker_was_restarted(tmp_path: Path) -> None:
    with Valkey(tmp_path) as server:
        queue = CeleryQueue(server.url)
        await queue.send([Hint("solve_1", ("0",))])
        await until(lambda: sent(server.url, CHILDREN))
        server.kill()
        server.start()
        await queue.send([Hint("solve_2", ("0",), continuation=True)])
        await until(lambda: sent(server.url, CONTINUATIONS))
        await queue.close()

        [(_, arguments)] = sent(server.url, CONTINUATIONS)
        assert arguments == ["solve_2", ["0"]]


async def test_a_closed_queue_takes_no_more_hints(queue: CeleryQueue) -> None:
    await queue.close()

    with pytest.raises(RuntimeError, match="closed"):
        await queue.send([Hint("solve_1", ("0",))])
