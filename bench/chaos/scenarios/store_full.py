"""The store without memory, the store without disk, and the documents without disk.

New solves and documents are refused with 503 and `Retry-After`, trees that are under way end whole,
and afterwards everything goes on by itself. A limit of the process's files stands for a full disk.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
from redis import Redis

from bench.chaos.house import WAIT_S, House
from bench.chaos.report import Report, Size
from tests.full_disk import full_disk

TREES = 4
TRIES = 5
FULL_S = 4.0
_DOCUMENT_BYTES = 300_000
_SMALL_BYTES = 65_536


def run(house: House, size: Size) -> Report:
    """Each of the three in turn, in the middle of trees."""
    report = Report("store-full", size.seed)
    _under(report, "no memory", house, size, _no_memory)
    _under(report, "no disk", house, size, _no_disk)
    with full_disk(_SMALL_BYTES, house.stack.service.pid):
        refused = [_upload(house) for _ in range(TRIES)]
    report.figures["documents: refused with 503"] = sum(map(_is_refusal, refused))
    report.checks["documents: refused with 503 and Retry-After"] = all(map(_is_refusal, refused))
    report.checks["documents: taken again"] = _upload(house).status_code == httpx.codes.CREATED
    return report


def _under(
    report: Report,
    name: str,
    house: House,
    size: Size,
    shortage: Callable[[House], Iterator[None]],
) -> None:
    """Trees that are half grown when the shortage begins; it lasts until they cannot go on."""
    before = house.calls()
    forest = house.forest(size, TREES)
    house.wait_calls(before + len(forest.trees) * forest.shape.num_calls // 3)
    with contextmanager(shortage)(house):
        replies = [forest.submit() for _ in range(TRIES)]
        time.sleep(FULL_S)
    forest.harvest(WAIT_S)
    part = Report(name, size.seed)
    forest.judge(part)
    again = forest.submit(limits={"max_depth": 1})
    report.figures[f"{name}: refused with 503"] = sum(map(_is_refusal, replies))
    report.figures |= {f"{name}: {what}": figure for what, figure in part.figures.items()}
    report.checks |= {
        f"{name}: refused with 503 and Retry-After": all(map(_is_refusal, replies)),
        f"{name}: what ran is whole": part.holds,
        f"{name}: taken again": again.status_code == httpx.codes.ACCEPTED,
        f"{name}: nobody died": all(one.returncode() is None for one in house.stack.workers),
    }


def _no_memory(house: House) -> Iterator[None]:
    with Redis.from_url(house.stack.valkey.url) as store:
        store.config_set("maxmemory", 1)
        try:
            yield
        finally:
            store.config_set("maxmemory", 0)


def _no_disk(house: House) -> Iterator[None]:
    pid = house.stack.valkey.pid
    assert pid is not None  # noqa: S101 - it runs
    files = (house.stack.folder / "valkey").rglob("*.aof")
    with full_disk(max(file.stat().st_size for file in files), pid):
        yield


def _upload(house: House) -> httpx.Response:
    text = f"{time.monotonic_ns()}\n" + "word " * (_DOCUMENT_BYTES // 5)
    headers = {"Content-Type": "text/plain"}
    return house.client.post(f"{house.stack.url}/documents", content=text, headers=headers)


def _is_refusal(reply: httpx.Response) -> bool:
    return reply.status_code == httpx.codes.SERVICE_UNAVAILABLE and "Retry-After" in reply.headers
