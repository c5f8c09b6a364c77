"""The Lua transitions: read from `lua/`, run by their hash, loaded where the server forgot them.

A script gets one key (so that a cluster can route it) and one argument: its named arguments as
MessagePack. `lib.lua` is put between a script's first line, which may carry flags, and its body.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Literal

import msgspec
from redis.asyncio import Redis, RedisCluster
from redis.exceptions import NoScriptError

Client = Redis | RedisCluster

Name = Literal[
    "admit",
    "cancel",
    "claim",
    "clock",
    "delete",
    "delta",
    "derive",
    "finish",
    "flight",
    "keep",
    "ledger_keep",
    "ledger_release",
    "ledger_reserve",
    "leftovers_settle",
    "leftovers_take",
    "log_nodes",
    "log_take",
    "outbox_settle",
    "outbox_take",
    "policies_free",
    "policies_lease",
    "policies_pin",
    "policies_pins",
    "policies_save",
    "policies_station",
    "reap",
    "release",
    "renew",
    "resume",
    "spawn",
    "spending",
    "survey",
    "turn",
]


@dataclass(frozen=True, slots=True)
class Script:
    source: str
    sha: str


@cache
def script(name: Name) -> Script:
    """A transition's whole source and its SHA-1, which is how the server names it."""
    folder = resources.files("banyan.adapters") / "lua"
    lib = (folder / "lib.lua").read_text(encoding="utf-8")
    flags, _, body = (folder / f"{name}.lua").read_text(encoding="utf-8").partition("\n")
    source = f"{flags}\n{lib}\n{body}"
    return Script(source, hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest())


def blob(data: bytes) -> msgspec.Raw:
    """Bytes as an argument. Lua's decoder has strings of bytes and does not know the type bin."""
    return msgspec.Raw(b"\xdb" + len(data).to_bytes(4, "big") + data)


async def evaluate(client: Client, name: Name, key: str, arguments: Mapping[str, Any]) -> list[Any]:
    """Run a transition in one round trip; its reply, whose first item says how it went."""
    transition = script(name)
    packed = msgspec.msgpack.encode(arguments)
    try:
        reply = await client.evalsha(transition.sha, 1, key, packed)
    except NoScriptError:
        reply = await client.eval(transition.source, 1, key, packed)
    return list(reply)
