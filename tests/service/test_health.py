from __future__ import annotations

import logging

import pytest
from pydantic import ValidationError

from service.settings import ServiceSettings
from tests.service.house import House, assert_problem


async def test_a_process_that_is_up_is_healthy_even_without_its_store(house: House) -> None:
    house.store.away = True

    assert (await house.http.get("/healthz")).json() == {"status": "ok"}


async def test_a_service_is_ready_when_its_store_answers(house: House) -> None:
    assert (await house.http.get("/readyz")).status_code == 200
    house.store.away = True

    assert_problem(await house.http.get("/readyz"), 503, "store_unavailable")


async def test_ports_are_closed_when_the_service_ends(house: House) -> None:
    async with house.app.router.lifespan_context(house.app):
        assert not house.store.closed

    assert house.store.closed
    assert house.queue.closed


async def test_a_request_id_is_taken_over_where_it_is_harmless(house: House) -> None:
    mine = await house.http.get("/healthz", headers={"X-Request-Id": "abc-1"})
    other = await house.http.get("/healthz", headers={"X-Request-Id": "a b\tc"})

    assert mine.headers["X-Request-Id"] == "abc-1"
    assert other.headers["X-Request-Id"].startswith("req_")


async def test_the_log_has_ids_and_no_content(
    house: House, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        solve = await house.submit(goal="A private goal", documents=[{"text": "private text"}])
        await house.http.get(f"/solve/{solve}")
        logged = capsys.readouterr().out + caplog.text

    assert solve in logged
    assert "rivate" not in logged


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "example.org"])  # noqa: S104
def test_a_service_without_authentication_stays_on_loopback(host: str) -> None:
    with pytest.raises(ValidationError, match="BANYAN_AUTH=off"):
        ServiceSettings(host=host, auth="off")

    assert ServiceSettings(host=host).authenticates
    assert not ServiceSettings(host=host, allow_no_auth=True).authenticates


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
def test_loopback_needs_no_permission(host: str) -> None:
    assert ServiceSettings(host=host).host == host


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "attacker.example"},
        {"Host": "127.0.0.1.attacker.example:8080"},
        {"Host": "[::1"},
        {"Host": ""},
        {"Origin": "https://attacker.example"},
        {"Origin": "null"},
    ],
)
async def test_pages_of_other_hosts_cannot_use_a_service_without_authentication(
    house: House, headers: dict[str, str]
) -> None:
    reply = await house.http.post(
        "/documents", content="text", headers={"Content-Type": "text/plain", **headers}
    )

    assert_problem(reply, 403, "not_local")
    house.assert_nothing_stored()


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "localhost:8080"},
        {"Host": "[::1]:8080"},
        {"Host": "127.0.0.1", "Origin": "http://localhost:8080"},
    ],
)
async def test_this_machine_is_answered_under_all_its_names(
    house: House, headers: dict[str, str]
) -> None:
    assert (await house.http.get("/healthz", headers=headers)).status_code == 200


async def test_who_allows_no_authentication_is_answered_under_every_name() -> None:
    house = House(ServiceSettings(allow_no_auth=True))
    async with house.http:
        reply = await house.http.get("/healthz", headers={"Host": "banyan.example"})

    assert reply.status_code == 200
