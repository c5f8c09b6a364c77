"""Two fake model servers with models of their own, and a file of policies that names them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from banyan.local.ports import LOOPBACK, free_port
from banyan.local.probes import is_up
from banyan.local.processes import Processes
from banyan.local.programs import command, environment
from bench.stack import START_S, wait_until

LARGE_WINDOW, SMALL_WINDOW = 8_192, 1_024

PRICES = {
    "large": {"prompt": 0.6, "cached": 0.06, "completion": 2.4},
    "small": {"prompt": 0.051, "completion": 0.2},
}
"""USD a million tokens."""


@dataclass(frozen=True, slots=True)
class Fake:
    """A fake model server that runs."""

    model: str
    url: str
    window: int

    def entry(self) -> dict[str, Any]:
        """What a file of policies says of it."""
        engine = {
            "kind": "openai",
            "urls": [self.url],
            "model": f"fake-{self.model}",
            "window": self.window,
        }
        return {"engine": engine, "prices": PRICES[self.model]}

    def calls(self) -> int:
        """Completions that it was asked for."""
        stats: dict[str, int] = httpx.get(f"{self.url}/stats", trust_env=False).json()
        return stats["calls"]


@contextmanager
def two_fakes(folder: Path) -> Iterator[tuple[Fake, Fake]]:
    """A large and a small one, until the block ends."""
    with Processes(folder / "logs") as processes:
        found = [
            _start(processes, "large", LARGE_WINDOW),
            _start(processes, "small", SMALL_WINDOW),
        ]
        for fake in found:
            wait_until(lambda url=fake.url: is_up(f"{url}/health"), START_S)
        yield found[0], found[1]


def _start(processes: Processes, model: str, window: int) -> Fake:
    port = free_port()
    argv = command(
        "banyan.testing",
        *("--port", str(port)),
        *("--window", str(window)),
        *("--model", f"fake-{model}"),
    )
    processes.start(model, argv, env=environment())
    return Fake(model, f"http://{LOOPBACK}:{port}", window)


def write(path: Path, policies: dict[str, Any], *, live: str = "large") -> Path:
    """The file of policies."""
    path.write_text(json.dumps({"live": live, "policies": policies}), encoding="utf-8")
    return path
