"""Aging: make what a Redis keeps older, since nobody waits a week to see what is left after it.

Every key's time to live is shortened, and the times that stand in the store's own lists are moved
back. What has no time to live stays, as it would.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from redis import Redis

_TIMED = (b":due", b":leases", b":expiring", b":log", b":outbox", b":trees", b":leftovers")
"""Sorted sets whose scores are milliseconds on the server's clock."""
_BATCH = 500


def age(redis: Redis, seconds: float, match: str = "*") -> None:
    """As if `seconds` had gone by since anything happened to the keys that match."""
    shift_ms = int(seconds * 1_000)
    found = list(redis.scan_iter(match, count=1_000))
    for keys in (found[start : start + _BATCH] for start in range(0, len(found), _BATCH)):
        left = _left_ms(redis, keys)
        with redis.pipeline(transaction=False) as pipe:
            for key, ttl_ms in zip(keys, left, strict=True):
                if ttl_ms >= 0:
                    pipe.pexpire(key, ttl_ms - shift_ms)  # what is over by then goes at once
            pipe.execute()
    for key in redis.scan_iter(match, count=1_000, _type="zset"):
        if key.endswith(_TIMED):
            entries: Any = redis.zrange(key, 0, -1, withscores=True)
            for member, score in entries:
                redis.zadd(key, {member: score - shift_ms})


def kinds(redis: Redis, match: str = "*") -> Counter[str]:
    """How many keys there are of each kind: their names, without what counts up in them."""
    return Counter(
        _kind(key.decode(errors="replace")) for key in redis.scan_iter(match, count=1_000)
    )


def _left_ms(redis: Redis, keys: list[bytes]) -> list[int]:
    """Times to live; negative where there is none."""
    with redis.pipeline(transaction=False) as pipe:
        for key in keys:
            pipe.pttl(key)
        return [int(one) for one in pipe.execute()]


def _kind(key: str) -> str:
    """`{s3}:tree:solve_…:node:0.1` is `tree:node`; what is counted up or named is left out."""
    first, *more = key.rpartition("}:")[2].split(":")
    return ":".join([first, *more[1:2]]) if first == "tree" else first
