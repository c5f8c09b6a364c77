"""Threads that are all busy, so that a test sees what waits for one and what does not."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager


@contextmanager
def all_busy() -> Iterator[None]:
    """While it lasts, what this loop hands to a thread is not begun."""
    done = threading.Event()
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(max_workers=1) as threads:
        threads.submit(done.wait)
        loop.set_default_executor(threads)
        try:
            yield
        finally:
            done.set()
            loop.set_default_executor(ThreadPoolExecutor())  # tests may share the loop
