"""What all scripts of peers share: their arguments, the clock around a run, the line it prints.

A run is `NUM_OTHER_CALLS + N` model calls: the root, N children side by side, and a merge that is
shown all of their answers. The script's own imports, a first small run and the opening of
connections are before the clock starts.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import sys
import time
import urllib.request
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from typing import Any, TypeVar

T = TypeVar("T")

ANSWER = "The fake model says that it is ok."
"""What the fake model writes (`banyan.testing.ANSWER`); anything else is no answer."""
NUM_OTHER_CALLS = 2
"""The root and the merge."""
ROOT_PROMPT = "Which chapters of the book are there?"
TIMEOUT_S = 120.0
_WARM_UP = 8
_SHOWN_CHARS = 300
"""Of an error."""


def child_prompt(number: int) -> str:
    """One sentence: Banyan's own prompts are much longer, which is its own affair."""
    return f"What does chapter {number} of the book say about roots?"


def merge_prompt(answers: Sequence[str]) -> str:
    return "Make one answer of these:\n" + "\n".join(answers)


@dataclass(frozen=True, slots=True)
class Server:
    """The fake model server, and how many calls a peer may have in flight."""

    url: str
    model: str
    width: int

    @property
    def v1(self) -> str:
        """Where OpenAI's interface begins."""
        return f"{self.url}/v1"


Run = Callable[[int], Sequence[str]]
"""Runs one root and so many children; the children's answers."""

Peer = Callable[[Server], AbstractContextManager[Run]]
"""Makes what is made once, such as clients, and ends it."""

_LOOPS: list[asyncio.Runner] = []
"""The one event loop of the process: some peers keep their clients for longer than a run."""


def main(peer: Peer) -> None:
    """Run the peer at every size and width that the arguments say; print JSON, one line each."""
    parser = argparse.ArgumentParser(description="one peer, see bench/peers.py")
    parser.add_argument("--url", required=True)
    parser.add_argument("--model", default="fake")
    parser.add_argument("--children", type=int, nargs="+", required=True)
    parser.add_argument("--widths", type=int, nargs="+", required=True)
    options = parser.parse_args()
    _use_uvloop()
    for width in options.widths:
        server = Server(options.url, options.model, width)
        with peer(server) as run:
            run(_WARM_UP)
            for num_children in options.children:
                if any(num_children <= less < width for less in options.widths):
                    continue  # that one had room for all already
                found = _measured(run, server, num_children)
                sys.stdout.write(json.dumps(found) + "\n")
                sys.stdout.flush()
    for runner in _LOOPS:
        runner.close()


def on_one_loop(run: Callable[[int], Coroutine[Any, Any, Sequence[str]]]) -> Run:
    """An asynchronous run as a plain one."""
    return lambda num_children: wait(run(num_children))


def wait(work: Coroutine[Any, Any, T]) -> T:
    """What becomes of it on the process's one event loop."""
    if not _LOOPS:
        _LOOPS.append(asyncio.Runner())
    return _LOOPS[0].run(work)


def _measured(run: Run, server: Server, num_children: int) -> dict[str, object]:
    before, cpu_s, began = _stats(server), _cpu_s(), time.monotonic()
    answers, error = _tried(run, num_children)
    wall_s, cpu_s = time.monotonic() - began, _cpu_s() - cpu_s
    after = _stats(server)
    num_right = sum(answer == ANSWER for answer in answers)
    return {
        "children": num_children,
        "width": server.width,
        "wall_s": round(wall_s, 4),
        "cpu_s": round(cpu_s, 4),
        "calls": after["calls"] - before["calls"],
        "prompt_tokens": after["prompt_tokens"] - before["prompt_tokens"],
        "failures": num_children - num_right,
        "error": error,
    }


def _tried(run: Run, num_children: int) -> tuple[Sequence[str], str | None]:
    """Its answers, and what it raised: a peer that loses all of them is a figure, too."""
    try:
        return run(num_children), None
    except Exception as error:  # noqa: BLE001 - whatever a peer raises
        return (), f"{type(error).__name__}: {error}"[:_SHOWN_CHARS]


def _stats(server: Server) -> dict[str, int]:
    """What the server has counted."""
    with urllib.request.urlopen(f"{server.url}/stats", timeout=TIMEOUT_S) as reply:  # noqa: S310
        found: dict[str, int] = json.load(reply)
    return found


def _cpu_s() -> float:
    """User and system, of all threads and of children that have ended."""
    times = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in times)


def _use_uvloop() -> None:
    """For every peer, since Banyan's workers use it, and it costs its users one line."""
    with suppress(ImportError):
        import uvloop  # noqa: PLC0415

        asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
