"""All of Banyan's processes, and two tenants: one with secrets, one that wants to know them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from banyan.access import SCOPES, Scope
from banyan.local import first_key
from bench.stack import Stack

WORD = "xylophone"
"""It stands in nothing but what the first tenant sends."""
KEY = f"{WORD}-order-7"
TEXT = f"The {WORD} is kept below the stairs. " * 4
WEBHOOK_NETWORKS = "127.0.0.0/8"


def tenant_of(who: str) -> str:
    """A name that is no part of any word."""
    return f"{who}-house"


@dataclass
class Two:
    """`mine` has the secrets. `solve` and `document` are its own, of a solve that has ended."""

    stack: Stack
    http: httpx.Client
    keys: dict[str, str]
    hook: str
    solve: str = ""
    document: str = ""

    def ask(self, who: str, method: str, path: str, **options: Any) -> httpx.Response:
        """A request with the key of `mine`, `theirs`, `fresh` or `admin`."""
        headers = {"Authorization": f"Bearer {self.keys[who]}", **options.pop("headers", {})}
        return self.http.request(method, f"{self.stack.url}{path}", headers=headers, **options)

    def upload(self, who: str, path: str = "/documents") -> httpx.Response:
        """The text with the secret."""
        headers = {"Content-Type": "text/plain"}
        return self.ask(who, "POST", path, content=TEXT.encode(), headers=headers)

    def submit(self, who: str, **body: Any) -> dict[str, Any]:
        """A solve that has ended."""
        key = body.pop("key", None)
        headers = {"Prefer": "respond-async", **({"Idempotency-Key": key} if key else {})}
        reply = self.ask(who, "POST", "/solve", json={"goal": "Why?", **body}, headers=headers)
        assert reply.status_code == 202, reply.text
        path, found = reply.headers["Location"], {"status": "queued"}
        while found["status"] in {"queued", "running"}:
            found = self.ask(who, "GET", path, headers={"Prefer": "wait=60"}).json()
        assert found["status"] == "completed", found
        return found

    def live_through(self) -> None:
        """The first tenant uses all that the service has, and leaves its word everywhere."""
        self.document = self.upload("mine", f"/documents?title={WORD}").json()["id"]
        self.solve = self.submit(
            "mine",
            goal=f"Where is the {WORD}? fan-out 2",
            documents=[{"id": self.document}],
            metadata={WORD: WORD},
            gate={"mode": "always"},
            limits={"max_depth": 1},
            webhook={"url": f"{self.hook}/{WORD}"},
            key=KEY,
        )["id"]
        feedback = {"value": 1.0, "comment": WORD}
        path = f"/solve/{self.solve}/feedback"
        assert self.ask("mine", "POST", path, json=feedback).status_code == 200
        chat = {"model": "banyan", "messages": [{"role": "user", "content": f"The {WORD}?"}]}
        assert self.ask("mine", "POST", "/v1/chat/completions", json=chat).status_code == 200


@contextmanager
def two_tenants(folder: Path, hook: str) -> Iterator[Two]:
    """Logs are kept at their most talkative."""
    settings = {
        "BANYAN_AUTH": "on",
        "BANYAN_QUOTA_TREES": "50",
        "BANYAN_TRAJECTORY_DIR": str(folder / "log"),
        "BANYAN_WEBHOOK_NETWORKS": WEBHOOK_NETWORKS,
    }
    scopes: dict[str, tuple[Scope, ...]] = {
        "mine": ("solve", "documents", "webhooks", "policies"),
        "theirs": ("solve", "documents", "webhooks", "policies"),
        "fresh": ("solve", "documents", "webhooks", "policies"),
        "admin": SCOPES,
    }
    with (
        Stack(num_workers=1, slots=16, log_level="debug", settings=settings) as stack,
        httpx.Client(timeout=90.0, trust_env=False) as http,
    ):
        keys = {
            who: first_key.create(
                stack.valkey.url, tenant=tenant_of(who), scopes=granted, name=""
            ).key
            for who, granted in scopes.items()
        }
        two = Two(stack, http, keys, hook)
        two.live_through()
        yield two
