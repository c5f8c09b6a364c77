"""Secrets: what all processes log, and what the state store keeps, of a life of two tenants."""

from __future__ import annotations

from redis import Redis

from tests.hostile.conftest import Hook
from tests.hostile.two_tenants import WORD, Two


def secrets_of(two: Two) -> list[str]:
    """Keys whole, their secret parts, and the secrets that sign webhooks."""
    signing = [two.ask(who, "GET", "/webhooks/secret").json()["secret"] for who in two.keys]
    parts = [key.split("_", 2)[2] for key in two.keys.values()]
    return [*two.keys.values(), *parts, *signing]


def test_no_process_logs_a_key_a_secret_or_what_a_tenant_sent(two: Two, hook: Hook) -> None:
    """At the level `debug`, refusals and failures included."""
    forged = f"{two.keys['mine'][:-1]}!"
    for path in ("/solve", f"/solve?api_key={two.keys['mine'][17:]}", "/keys"):
        two.http.get(f"{two.stack.url}{path}", headers={"Authorization": f"Bearer {forged}"})
    two.ask("mine", "POST", "/solve", json={"goal": {WORD: WORD}, "limits": WORD})
    two.ask("mine", "POST", "/solve", content=f'{{"goal": "{WORD}'.encode())
    two.ask("mine", "POST", "/v1/chat/completions", json={"model": WORD, "messages": WORD})
    logs = two.stack.logs()

    by_kind = {name.partition("-")[0]: log for name, log in logs.items()}
    assert {"service", "worker", "engine"} <= by_kind.keys()
    assert "request" in by_kind["service"]
    assert "nodes claimed" in by_kind["worker"]
    for name, text in logs.items():
        for secret in (*secrets_of(two), forged, WORD, hook.url):
            assert secret not in text, name


def test_the_state_store_keeps_no_key_that_opens_anything(two: Two) -> None:
    with Redis.from_url(two.stack.valkey.url) as redis:
        kept = b"\n".join(redis.dump(key) or b"" for key in redis.scan_iter("*access*keys"))

    assert kept
    for key in two.keys.values():
        assert key[:16].encode() in kept  # the prefix, which names it
        assert key.split("_", 2)[2].encode() not in kept
