"""What one tenant can find out of another, on real processes: nothing, by whichever way it asks."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from bench.stack import wait_until
from service.auth.scopes import PUBLIC
from tests.hostile.conftest import Hook
from tests.hostile.two_tenants import KEY, WORD, Two, tenant_of

NOBODYS = f"solve_{'0' * 26}00"
NO_DOCUMENT = f"doc_{'0' * 32}"


def told(reply: httpx.Response, asked: str) -> tuple[int, Any]:
    """All of a reply that could tell something about the id that was asked for."""
    body = json.loads(reply.text.replace(asked, "the id")) if reply.content else {}
    return reply.status_code, {name: body[name] for name in body if name != "request_id"}


def assert_silent(reply: httpx.Response, two: Two, *, asked: str = "") -> None:
    """Neither the secret nor an id of its tenant's, but the one asked for, in body or headers."""
    shown = reply.text + str(reply.headers.raw)
    for word in {WORD, two.solve, two.document, tenant_of("mine")} - {asked}:
        assert word.lower() not in shown.lower(), f"{reply.request.url}: {word}"


def operations(two: Two) -> list[tuple[str, str]]:
    """Every method and path of the service."""
    paths = two.http.get(f"{two.stack.url}/openapi.json").json()["paths"]
    return [(method, path) for path, methods in paths.items() for method in methods]


def test_an_id_of_another_tenants_is_answered_as_one_that_nobody_has(two: Two) -> None:
    """Every operation with an id in its path: nodes, events, traces, feedback, responses ..."""
    asked = 0
    for method, path in operations(two):
        if "{id}" not in path:
            continue
        kind = path.split("/")[1]
        ids = {"documents": (two.document, NO_DOCUMENT), "v1": (_resp(two.solve), _resp(NOBODYS))}
        sent = ids.get(kind, (two.solve, NOBODYS))
        body = {"value": 0.5} if path.endswith("/feedback") else None
        urls = [path.replace("{id}", one).replace("{node}", "0") for one in sent]
        replies = [two.ask("theirs", method.upper(), url, json=body) for url in urls]
        theirs, nobodys = map(told, replies, sent)
        assert theirs == nobodys, path
        assert replies[0].status_code in {204, 404}, path
        assert_silent(replies[0], two, asked=sent[0])
        asked += 1

    assert asked >= 12
    assert two.ask("mine", "GET", f"/solve/{two.solve}").json()["status"] == "completed"


def _resp(solve: str) -> str:
    return solve.replace("solve_", "resp_")


def test_nothing_that_can_be_read_without_an_id_tells_of_another_tenant(two: Two) -> None:
    """Lists, policies, secrets, the OpenAPI document, probes, metrics, the page."""
    paths = {path for method, path in operations(two) if method == "get" and "{" not in path}
    for path in sorted(paths | PUBLIC | {"/metrics", "/v1/models"}):
        reply = two.ask("theirs", "GET", path)
        assert reply.status_code < 500, path
        assert_silent(reply, two)


def test_a_cursor_of_another_tenants_list_leads_into_ones_own(two: Two) -> None:
    two.submit("mine", goal=f"another {WORD}")
    cursor = two.ask("mine", "GET", "/solve?limit=1").json()["next"]
    reply = two.ask("theirs", "GET", f"/solve?limit=100&cursor={cursor}")

    assert cursor
    assert_silent(reply, two)


def test_an_idempotency_key_of_anothers_starts_ones_own_solve(two: Two) -> None:
    theirs = two.submit("theirs", goal="What for?", key=KEY)

    assert theirs["id"] != two.solve
    assert WORD not in json.dumps(theirs)


def test_sending_the_same_text_does_not_tell_that_somebody_has_it(two: Two) -> None:
    first, second = (two.upload("theirs") for _ in "ab")

    assert first.status_code == second.status_code == 201
    assert first.json()["id"] == second.json()["id"] != two.document
    assert first.json()["title"] is None


@pytest.mark.parametrize("path", ["/solve", "/solve/estimate"])
def test_a_document_of_anothers_cannot_be_asked_about(two: Two, path: str) -> None:
    theirs, nobodys = (
        two.ask("theirs", "POST", path, json={"goal": "What?", "documents": [{"id": one}]})
        for one in (two.document, NO_DOCUMENT)
    )

    assert told(theirs, two.document) == told(nobodys, NO_DOCUMENT)
    assert theirs.json()["code"] == "unknown_document"


def test_an_estimate_knows_nothing_of_how_fast_anothers_solves_were(two: Two) -> None:
    """The pace is that of one's own solves: a tenant without any is told none."""
    body = {"goal": "What?", "more_chars": 1_000}
    mine, fresh = (two.ask(who, "POST", "/solve/estimate", json=body) for who in ("mine", "fresh"))

    assert mine.json()["pace"] is not None
    assert fresh.json()["pace"] is None


def test_responses_cannot_be_continued_from_anothers(two: Two) -> None:
    """The facade's ids name solves too."""
    ids = (_resp(two.solve), _resp(NOBODYS))
    body = {"model": "banyan", "input": "And?"}
    replies = [
        two.ask("theirs", "POST", "/v1/responses", json={**body, "previous_response_id": one})
        for one in ids
    ]
    theirs, nobodys = map(told, replies, ids)

    assert theirs == nobodys
    assert replies[0].status_code in {400, 404}


def test_events_are_those_of_ones_own_solve_alone(two: Two) -> None:
    solve = two.submit("theirs", goal="Why not?")["id"]
    reply = two.ask("theirs", "GET", f"/solve/{solve}/events")

    assert '"tree.finished"' in reply.text
    assert_silent(reply, two)


def test_quotas_count_ones_own_solves(two: Two) -> None:
    reply = two.ask("admin", "POST", "/solve", json={"goal": "x"}, headers={"Prefer": "wait=60"})

    assert "r=49" in reply.headers["RateLimit"]


def test_a_webhook_tells_its_own_tenant_alone(two: Two, hook: Hook) -> None:
    two.submit("theirs", webhook={"url": f"{hook.url}/theirs"})
    wait_until(lambda: {path for path, _ in hook.got} == {f"/{WORD}", "/theirs"}, 60.0)
    [theirs] = [body for path, body in hook.got if path == "/theirs"]

    assert WORD not in theirs
    assert two.solve not in theirs
    secrets = [two.ask(who, "GET", "/webhooks/secret").json()["secret"] for who in two.keys]
    assert len(set(secrets)) == len(two.keys)


def test_keys_are_seen_by_administrators_alone(two: Two) -> None:
    assert two.ask("theirs", "GET", "/keys").status_code == 403
    assert two.ask("admin", "GET", "/keys").status_code == 200
