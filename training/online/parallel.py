"""Parallel: named pieces of work, so many at one time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

R = TypeVar("R")


async def in_parallel(
    work: Mapping[str, Callable[[], Awaitable[R]]],
    num_parallel: int,
    count: Callable[[int], None],
) -> dict[str, R]:
    """The results by name. `count` is told how many are done.

    Raises what the first that fails raises; the others are cancelled.
    """
    slots, found = asyncio.Semaphore(num_parallel), dict[str, R]()

    async def one(name: str, piece: Callable[[], Awaitable[R]]) -> None:
        async with slots:
            found[name] = await piece()
        count(len(found))

    try:
        async with asyncio.TaskGroup() as tasks:
            for name, piece in work.items():
                tasks.create_task(one(name, piece))
    except BaseExceptionGroup as group:
        raise group.exceptions[0] from None
    return found
