"""Model calls in flight: one leads, the others find its reply, and nobody waits for the dead."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from banyan.adapters.memory_flights import MemoryFlights
from banyan.adapters.redis_flights import RedisFlights
from banyan.ports import Flight, Flights
from tests.fixtures.namespaces import namespace
from tests.fixtures.waiting import eventually

REPLY = b"\x00reply\xff"
LONG_S, SHORT_S = 600.0, 0.05
LEADS, WAITS = Flight(leads=True), Flight(leads=False)


@pytest.fixture
async def flights(store_url: str | None) -> AsyncIterator[Flights]:
    one: Flights
    one = RedisFlights(store_url, namespace=namespace()) if store_url else MemoryFlights()
    yield one
    await one.close()


async def test_one_leads_however_often_it_asks(flights: Flights) -> None:
    assert await flights.join("call", "one", lease_s=LONG_S) == LEADS
    assert await flights.join("call", "one", lease_s=LONG_S) == LEADS
    assert await flights.join("call", "two", lease_s=LONG_S) == WAITS
    assert await flights.join("other", "two", lease_s=LONG_S) == LEADS


async def test_a_reply_that_landed_is_there_for_all(flights: Flights) -> None:
    await flights.join("call", "one", lease_s=LONG_S)
    await flights.land("call", "one", REPLY, keep_s=LONG_S)

    for token in ("one", "two"):
        assert await flights.join("call", token, lease_s=LONG_S) == Flight(leads=False, reply=REPLY)


async def test_a_leader_that_leaves_is_followed_by_the_next(flights: Flights) -> None:
    await flights.join("call", "one", lease_s=LONG_S)
    await flights.leave("call", "one")

    assert await flights.join("call", "two", lease_s=LONG_S) == LEADS


async def test_only_the_leader_can_land_leave_or_renew(flights: Flights) -> None:
    await flights.join("call", "one", lease_s=LONG_S)
    await flights.land("call", "two", REPLY, keep_s=LONG_S)
    await flights.leave("call", "two")
    await flights.renew("call", "two", lease_s=SHORT_S)

    assert await flights.join("call", "three", lease_s=LONG_S) == WAITS
    await flights.land("never", "one", REPLY, keep_s=LONG_S)
    assert await flights.join("never", "two", lease_s=LONG_S) == LEADS


async def leads(flights: Flights, key: str) -> bool:
    """Whether another than the first now leads the flight."""
    return await flights.join(key, "two", lease_s=LONG_S) == LEADS


async def test_leases_and_replies_end_by_themselves(flights: Flights) -> None:
    await flights.join("lease", "one", lease_s=SHORT_S)
    await flights.join("reply", "one", lease_s=LONG_S)
    await flights.land("reply", "one", REPLY, keep_s=SHORT_S)

    await eventually(lambda: leads(flights, "lease"))
    await eventually(lambda: leads(flights, "reply"))


async def test_a_renewed_lease_outlives_its_first_end(flights: Flights) -> None:
    await flights.join("call", "one", lease_s=3.0)
    await flights.renew("call", "one", lease_s=LONG_S)
    await flights.join("beside", "one", lease_s=3.0)
    await eventually(lambda: leads(flights, "beside"))

    assert await flights.join("call", "two", lease_s=LONG_S) == WAITS
