"""Keys: made, shown once, looked up at every request, and of no use when revoked."""

from __future__ import annotations

import logging
import time

import pytest

from banyan.access import SCOPES, mint, opens, prefix_of
from service.auth.scopes import PUBLIC, needed
from tests.access.makers import bearer, key_of
from tests.service.house import House, assert_problem, assert_refused

NEW = {"tenant": "acme", "scopes": ["solve"], "name": "shop"}


async def test_every_call_that_is_not_public_needs_a_key(house: House) -> None:
    described = (await house.http.get("/openapi.json")).json()["paths"]
    for path, operations in described.items():
        for method in operations:
            reply = await house.http.request(method, path)
            if path in PUBLIC:
                assert reply.status_code != 401, path
            else:
                assert_refused(reply, 401, "unauthenticated")
                assert reply.headers["WWW-Authenticate"] == 'Bearer realm="banyan"'


async def test_every_path_of_the_service_stands_in_the_table_of_scopes(house: House) -> None:
    described = (await house.http.get("/openapi.json")).json()["paths"]

    assert {needed(path) for path in described} == {"public", *SCOPES}


@pytest.mark.parametrize("scope", SCOPES)
async def test_a_scope_opens_its_own_paths_alone(house: House, scope: str) -> None:
    headers = await key_of(house, "acme", scope)  # type: ignore[arg-type]  # one of SCOPES
    described = (await house.http.get("/openapi.json")).json()["paths"]
    for path in described:
        if path in PUBLIC:
            continue
        reply = await house.http.get(path, headers=headers)
        if needed(path) == scope:
            assert reply.status_code not in {401, 403}, path
        else:
            assert_refused(reply, 403, "missing_scope")


async def test_a_path_that_does_not_exist_looks_like_one_that_does(house: House) -> None:
    assert_problem(await house.http.get("/nothing"), 401, "unauthenticated")
    headers = await key_of(house, "acme", "solve")
    assert_problem(await house.http.get("/nothing", headers=headers), 404, "not_found")


async def test_a_key_is_shown_once_and_opens_what_it_was_made_for(house: House) -> None:
    admin = await key_of(house, "default", "admin")
    made = await house.http.post("/keys", json=NEW, headers=admin)
    key = made.json()["key"]
    listed = await house.http.get("/keys?tenant=acme", headers=admin)
    started = await house.http.post("/solve", json={"goal": "Why?"}, headers=bearer(key))

    assert made.status_code == 201
    assert made.headers["Cache-Control"] == "no-store"
    [kept] = listed.json()["keys"]
    assert kept == {name: value for name, value in made.json().items() if name != "key"}
    assert key not in listed.text
    assert started.status_code == 202
    [admission] = house.store.admitted
    assert admission.tenant == "acme"


async def test_a_revoked_key_opens_nothing_from_then_on(house: House) -> None:
    admin = await key_of(house, "default", "admin")
    made = (await house.http.post("/keys", json=NEW, headers=admin)).json()
    revoke = f"/keys/{made['prefix']}/revoke"
    first = await house.http.post(revoke, headers=admin)
    second = await house.http.post(revoke, headers=admin)

    assert first.json()["revoked_at"] == second.json()["revoked_at"] is not None
    reply = await house.http.post("/solve", json={"goal": "Why?"}, headers=bearer(made["key"]))
    assert_problem(reply, 401, "invalid_key")
    house.assert_nothing_stored()


async def test_a_key_that_nobody_has_cannot_be_revoked(house: House) -> None:
    admin = await key_of(house, "default", "admin")
    reply = await house.http.post(f"/keys/bny_{'a' * 12}/revoke", headers=admin)

    assert_problem(reply, 404, "not_found")


async def test_a_key_that_is_over_opens_nothing(house: House) -> None:
    key, kept = mint("acme", SCOPES, now=time.time() - 20, expires_at=time.time() - 10)
    await house.access.add(kept)

    assert_problem(await house.http.get("/policies", headers=bearer(key)), 401, "invalid_key")


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "Basic Ym55Og==", "bny_aaaaaaaaaaaa_x", "Bearer\tx", "Bearer x y"],
)
async def test_a_header_without_a_key_is_refused(house: House, header: str) -> None:
    reply = await house.http.get("/policies", headers={"Authorization": header})

    assert reply.status_code == 401
    assert_problem(reply, 401, reply.json()["code"])


async def test_a_key_with_the_prefix_of_another_opens_nothing(house: House) -> None:
    key, kept = mint("acme", SCOPES, now=time.time())
    await house.access.add(kept)
    forged = key[:-1] + ("A" if key[-1] != "A" else "B")

    assert prefix_of(forged) == kept.prefix
    assert_problem(await house.http.get("/policies", headers=bearer(forged)), 401, "invalid_key")


async def test_a_key_in_the_url_is_not_looked_at(house: House) -> None:
    key, kept = mint("acme", SCOPES, now=time.time())
    await house.access.add(kept)
    for name in ("api_key", "access_token", "key"):
        reply = await house.http.get(f"/policies?{name}={key}")
        assert_problem(reply, 401, "unauthenticated")


async def test_a_caller_who_is_not_known_is_refused_before_the_body_is_read(house: House) -> None:
    read = 0

    sent: list[int] = []

    async def receive() -> dict[str, object]:
        nonlocal read
        read += 1
        return {"type": "http.request", "body": b"", "more_body": True}

    async def send(message: dict[str, object]) -> None:
        if message["type"] == "http.response.start":
            sent.append(int(str(message["status"])))

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "path": "/solve",
        "raw_path": b"/solve",
        "query_string": b"",
        "root_path": "",
        "scheme": "http",
        "headers": [(b"content-type", b"application/json")],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }
    await house.app(scope, receive, send)  # type: ignore[arg-type]  # a plain scope

    assert sent == [401]
    assert read == 0


async def test_no_key_is_ever_logged(
    house: House, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    admin = await key_of(house, "default", "admin")
    with caplog.at_level(logging.DEBUG):
        made = (await house.http.post("/keys", json=NEW, headers=admin)).json()
        await house.http.get(f"/policies?api_key={made['key']}", headers=bearer(made["key"]))
        await house.http.post(f"/keys/{made['prefix']}/revoke", headers=admin)
        await house.http.get("/policies", headers=bearer(made["key"]))
        # The client of this test logs the URLs that it asks for.
        ours = [one.getMessage() for one in caplog.records if one.name != "httpx"]
        logged = capsys.readouterr().out + "\n".join(ours)

    assert made["prefix"] in logged
    for secret in (made["key"], admin["Authorization"].split()[1]):
        assert secret not in logged
        assert secret.split("_", 2)[2] not in logged


def test_what_is_kept_of_a_key_does_not_open_anything() -> None:
    key, kept = mint("acme", SCOPES, now=1.0)

    assert opens(key, kept, 2.0)
    assert key.split("_", 2)[2] not in kept.model_dump_json()
    assert not opens(kept.sha256, kept, 2.0)
    assert kept.sha256 not in repr(kept)
