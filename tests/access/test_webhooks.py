"""Webhooks: signed, told until they are heard, at least once, and never to a private address."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import pytest
from standardwebhooks import Webhook as Verifier

from banyan.adapters.courier import LEASE_S, Courier
from banyan.adapters.destinations import Destinations
from banyan.adapters.memory_access import MemoryAccess
from banyan.adapters.memory_outbox import MemoryOutbox
from banyan.adapters.memory_store import MemoryStore
from banyan.admission import admission
from banyan.errors import StoreUnavailable
from banyan.node import Outcome
from banyan.task import Task
from banyan.tree import tree_id
from banyan.webhooks import PAUSES_S, Webhook, pause_s
from service.settings import ServiceSettings
from tests.access.makers import key_of
from tests.access.receiver import Receiver, receiving
from tests.service.house import ASYNC, House, assert_problem

DONE = Outcome(status="ok", answer="a private answer")
LOOPBACK = "127.0.0.0/8"


class Post:
    """An outbox and a courier on a clock that the test moves."""

    def __init__(self, destinations: Destinations) -> None:
        self.now = float(round(time.time()))  # receivers refuse what is minutes off
        self.store = MemoryStore(clock=lambda: self.now)
        self.access = MemoryAccess()
        self.destinations = destinations
        self.courier = self.hire()

    def hire(self, **changes: Any) -> Courier:
        outbox = MemoryOutbox(self.store)
        return Courier(
            outbox, self.store, self.access, self.destinations, draw=lambda: 0.5, **changes
        )

    async def end(self, url: str, *, events: tuple[Any, ...] = (), key: str = "k") -> str:
        """A solve that has just ended."""
        hook = Webhook(url=url, events=events)
        task = Task(tenant="acme", goal="Why?", webhook=hook, metadata={"order": 7})
        new_id = tree_id("acme", key, 1)
        await self.store.admit(admission(task, new_id))
        claims = await self.store.claim(new_id, ["0"], worker="w", lease_s=60, reserves={})
        [claimed] = claims.nodes
        await self.store.finish(claimed.lease, DONE, log=None)
        return new_id

    async def round(self, *, after_s: float = 0.0) -> None:
        """What is due by then is attempted."""
        self.now += after_s
        await self.courier.step()
        await self.courier.settled()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as receiver:
        yield receiver


@pytest.fixture
def post() -> Post:
    return Post(Destinations(LOOPBACK))


async def test_the_end_of_a_solve_is_told_signed_and_without_the_answer(
    post: Post, receiver: Receiver
) -> None:
    solve = await post.end(receiver.url)
    await post.round()
    await post.round()

    [got] = receiver.got
    secret = (await post.access.signing("acme")).current
    body = Verifier(secret).verify(got.body, got.headers)
    assert body["type"] == "solve.completed"
    assert datetime.fromisoformat(body["timestamp"]).timestamp() == post.now
    assert body["data"] == {"id": solve, "status": "completed", "metadata": {"order": 7}}
    assert got.headers["host"] == f"127.0.0.1:{receiver.port}"
    assert b"private" not in got.body


async def test_after_a_rotation_both_secrets_verify(post: Post, receiver: Receiver) -> None:
    old = (await post.access.signing("acme")).current
    new = (await post.access.rotate("acme", time.time())).current
    await post.end(receiver.url)
    await post.round()

    [got] = receiver.got
    for secret in (old, new):
        assert Verifier(secret).verify(got.body, got.headers)


async def test_a_receiver_that_fails_is_told_again_with_the_same_id_until_it_has_it(
    post: Post, receiver: Receiver
) -> None:
    receiver.replies = ["500 No", "302 Found\r\nLocation: http://127.0.0.1:1/", "200 OK"]
    await post.end(receiver.url)
    await post.round()
    await post.round(after_s=PAUSES_S[0] - 1)
    assert len(receiver.got) == 1
    await post.round(after_s=2)
    await post.round(after_s=PAUSES_S[1])
    await post.round(after_s=PAUSES_S[2])

    assert len(receiver.got) == 3
    assert len({got.headers["webhook-id"] for got in receiver.got}) == 1
    assert len({got.body for got in receiver.got}) == 1
    assert {got.path for got in receiver.got} == {"/hook"}


async def test_a_receiver_that_is_gone_is_told_no_more(post: Post, receiver: Receiver) -> None:
    receiver.replies = ["410 Gone"]
    await post.end(receiver.url)
    await post.round()
    await post.round(after_s=sum(PAUSES_S))

    assert len(receiver.got) == 1


async def test_after_the_last_attempt_it_is_given_up(post: Post, receiver: Receiver) -> None:
    receiver.replies = ["500 No"]
    await post.end(receiver.url)
    for pause in (0.0, *PAUSES_S, *PAUSES_S):
        await post.round(after_s=pause)

    assert len(receiver.got) == len(PAUSES_S) + 1
    assert post.store.forest.outbox == {}


async def test_a_courier_that_dies_in_the_middle_loses_nothing(
    post: Post, receiver: Receiver
) -> None:
    async def die(*_: Any, **__: Any) -> int:
        raise StoreUnavailable("killed")

    await post.end(receiver.url)
    dying = post.hire(send=die)
    await dying.step()
    await dying.settled()
    await post.round()
    assert receiver.got == []  # the lease of the dead one is not over
    await post.round(after_s=LEASE_S + 1)

    assert len(receiver.got) == 1


async def test_ends_that_were_not_asked_for_are_not_told(post: Post, receiver: Receiver) -> None:
    await post.end(receiver.url, events=("solve.failed",))
    await post.round()

    assert receiver.got == []
    assert post.store.forest.outbox == {}


async def test_a_name_that_has_become_private_is_not_connected_to(receiver: Receiver) -> None:
    """It was public when the solve was sent; DNS rebinding."""

    async def resolve(host: str, port: int) -> list[str]:
        del host, port
        return ["127.0.0.1"]

    post = Post(Destinations(resolve=resolve))
    await post.end(f"https://hooks.example.com:{receiver.port}/")
    await post.round()

    assert receiver.got == []
    assert post.store.forest.outbox


async def test_the_address_that_was_checked_is_the_one_that_is_connected_to(
    receiver: Receiver,
) -> None:
    asked: list[str] = []

    async def resolve(host: str, port: int) -> list[str]:
        del port
        asked.append(host)
        return ["127.0.0.1"]

    post = Post(Destinations(LOOPBACK, resolve=resolve))
    await post.end(f"http://no-such-host.invalid:{receiver.port}/hook")
    await post.round()

    [got] = receiver.got
    assert asked == ["no-such-host.invalid"]
    assert got.headers["host"] == f"no-such-host.invalid:{receiver.port}"


def test_pauses_grow_and_have_jitter() -> None:
    assert pause_s(1, 0.0) == pytest.approx(4.0)
    assert pause_s(1, 1.0) == pytest.approx(6.0)
    assert pause_s(len(PAUSES_S), 0.5) == PAUSES_S[-1]
    assert pause_s(len(PAUSES_S) + 1, 0.5) is None


@pytest.mark.parametrize("url", ["https://127.0.0.1/", "https://localhost/", "http://[::1]:80/"])
async def test_a_solve_with_a_private_receiver_is_refused_as_a_whole(
    house: House, url: str
) -> None:
    headers = {**ASYNC, **await key_of(house, "acme", "solve")}
    body = {"goal": "Why?", "documents": [{"text": "x"}], "webhook": {"url": url}}
    reply = await house.http.post("/solve", json=body, headers=headers)

    assert_problem(reply, 422, "refused_address")
    assert url not in reply.text
    house.assert_nothing_stored()


async def test_a_solve_with_a_receiver_leaves_a_notice_when_it_ends() -> None:
    house = House(ServiceSettings(auth="on", webhook_networks=LOOPBACK))
    async with house.http, receiving() as receiver:
        headers = {**ASYNC, **await key_of(house, "acme", "solve", "webhooks")}
        body = {"goal": "Why?", "webhook": {"url": receiver.url}}
        solve = (await house.http.post("/solve", json=body, headers=headers)).json()["id"]
        await house.http.post(f"/solve/{solve}/cancel", headers=headers)
        courier = Courier(
            MemoryOutbox(house.store), house.store, house.access, Destinations(LOOPBACK)
        )
        await courier.step()
        await courier.settled()
        secret = (await house.http.get("/webhooks/secret", headers=headers)).json()["secret"]

    [got] = receiver.got
    assert json.loads(got.body)["type"] == "solve.cancelled"
    Verifier(secret).verify(got.body, got.headers)


async def test_a_rotated_secret_is_shown_with_the_end_of_the_old_one(house: House) -> None:
    headers = await key_of(house, "acme", "webhooks")
    first = (await house.http.get("/webhooks/secret", headers=headers)).json()
    second = (await house.http.post("/webhooks/secret/rotate", headers=headers)).json()

    assert first["previous_until"] is None
    assert second["secret"] != first["secret"]
    assert second["previous_until"] > 0
