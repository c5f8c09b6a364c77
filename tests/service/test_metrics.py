"""What the service tells of itself: requests, problems, streams; and of the installation."""

from __future__ import annotations

import httpx
from prometheus_client.parser import text_string_to_metric_families

from banyan import signals
from banyan.access import Scope, mint
from banyan.signals import Metric
from service.settings import ServiceSettings
from service.survey import Surveyor
from tests.fixtures.waiting import eventually
from tests.service.house import ASYNC, House, WatchedStore, answered, assert_problem
from tests.service.served import serve

CANARY = "xyzzy-canary"


async def told(http: httpx.AsyncClient) -> dict[str, float]:
    """Every sample of the page, by its name and labels."""
    page = await http.get("/metrics")
    assert page.status_code == 200
    assert page.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    return {
        sample.name + "".join(f" {value}" for _, value in sorted(sample.labels.items())): (
            sample.value
        )
        for family in text_string_to_metric_families(page.text)
        for sample in family.samples
    }


def name_of(metric: Metric, *values: str) -> str:
    """As `told` has it."""
    labels = dict(zip(metric.labels, values, strict=True))
    return metric.name + "".join(f" {value}" for _, value in sorted(labels.items()))


async def test_requests_count_by_route_and_never_by_path(house: House) -> None:
    solve = await house.submit(goal=CANARY)
    await house.http.get(f"/solve/{solve}")
    await house.http.get(f"/{CANARY}")
    page = (await house.http.get("/metrics")).text
    assert CANARY not in page
    assert solve not in page
    counts = await told(house.http)
    assert counts[name_of(signals.HTTP_REQUESTS, "POST", "/solve", "202")] == 1
    assert counts[name_of(signals.HTTP_REQUESTS, "GET", "/solve/{id}", "200")] == 1
    assert counts[name_of(signals.HTTP_REQUESTS, "GET", "none", "404")] == 1
    assert counts[f"{signals.HTTP_SECONDS.name}_count /solve/{{id}}"] == 1


async def test_trees_count_once_however_often_they_are_asked_for(house: House) -> None:
    for _ in range(3):
        reply = await house.http.post(
            "/solve", json={"goal": "Why?"}, headers={**ASYNC, "Idempotency-Key": "one"}
        )
        assert reply.status_code == 202
    assert (await told(house.http))[signals.TREES_ADMITTED.name] == 1


async def test_problems_count_by_their_code(house: House) -> None:
    await house.http.post("/solve", json={"goal": ""})
    await house.http.get("/solve/solve_" + "0" * 28)
    house.store.away = True
    assert_problem(await house.http.post("/solve", json={"goal": "Why?"}), 503, "store_unavailable")
    await house.http.post("/v1/chat/completions", json={})
    counts = await told(house.http)
    assert counts[name_of(signals.PROBLEMS, "invalid_input")] == 2
    assert counts[name_of(signals.PROBLEMS, "not_found")] == 1
    assert counts[name_of(signals.PROBLEMS, "store_unavailable")] == 1


async def test_streams_count_while_they_are_open(http: httpx.AsyncClient, house: House) -> None:
    solve = await house.submit()

    async def are_open(number: int) -> bool:
        return (await told(http))[signals.EVENT_STREAMS.name] == number

    async with http.stream("GET", f"/solve/{solve}/events"):
        await eventually(lambda: are_open(1))
    await eventually(lambda: are_open(0))


async def test_the_page_needs_an_administrators_key_where_keys_are_needed() -> None:
    house = House(ServiceSettings(auth="on"))
    async with house.http:
        assert_problem(await house.http.get("/metrics"), 401, "unauthenticated")
        scopes: tuple[tuple[Scope, int], ...] = (("solve", 403), ("admin", 200))
        for scope, status in scopes:
            key, kept = mint("acme", (scope,), now=0)
            await house.access.add(kept)
            reply = await house.http.get("/metrics", headers={"Authorization": f"Bearer {key}"})
            assert reply.status_code == status


async def test_a_look_at_the_installation_tells_what_waits_and_what_runs(house: House) -> None:
    metrics = house.observing.metrics
    surveyor = Surveyor(house.store, house.policies, metrics)
    first, second = await house.submit(), await house.submit()
    await house.claim(first)
    await surveyor.look()
    counts = await told(house.http)
    assert counts[signals.QUEUE_NODES.name] == 1
    assert counts[signals.RUNNING_NODES.name] == 1
    await house.finish(second, answered("doc"))
    await surveyor.look()
    assert (await told(house.http))[signals.QUEUE_NODES.name] == 0


async def test_a_running_service_looks_by_itself(house: House) -> None:
    await house.submit()
    async with serve(house) as served, httpx.AsyncClient(base_url=served.url) as http:

        async def has_looked() -> bool:
            return (await told(http))[signals.QUEUE_NODES.name] == 1

        await eventually(has_looked)


async def test_a_look_at_a_store_that_is_away_is_counted_and_the_next_one_is_made() -> None:
    house = House(ServiceSettings(), store=Unsurveyed())
    surveyor = Surveyor(house.store, house.policies, house.observing.metrics)
    surveyor.start()
    failures = name_of(signals.LOOP_FAILURES, "survey")

    async def has_failed() -> bool:
        return (await told(house.http)).get(failures, 0) >= 1

    await eventually(has_failed)
    await surveyor.close()


class Unsurveyed(WatchedStore):
    """A store that does not answer."""

    async def survey(self) -> None:  # type: ignore[override]
        """As if its server were gone."""
        self.away = True
        await self.ping()
