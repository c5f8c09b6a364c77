"""Living: a file that is touched as long as the event loop turns, for probes that look at its age.

It says nothing about the store or the model servers: to start a worker anew brings neither back.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

_EVERY_S = 1.0


async def live_for_ever(path: Path, *, every_s: float = _EVERY_S) -> None:
    """Touch `path` again and again. Raises OSError where that is not possible."""
    while True:
        await asyncio.to_thread(path.touch)
        await asyncio.sleep(every_s)
