"""Worker slots: trees grown by the kernel's own driver on a fake engine that takes its time.

Measured, not computed: the store, the steps and the driver are real, and a call of the model is a
wait of `LATENCY_S` that holds one of the slots. Where workers are behind a link, what a call needs
first travels to its worker, without holding a slot, and its reply travels back.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

from banyan.adapters.memory_library import MemoryLibrary
from banyan.adapters.memory_store import MemoryStore
from banyan.in_process import grow
from banyan.limits import Limits
from banyan.ports import Message, Ports
from banyan.task import Gate, Task
from banyan.testing import ScriptedEngine
from banyan.testing.scripted import Call

LATENCY_S = 0.05
NUM_PARTS = 8


@dataclass(frozen=True, slots=True)
class Measured:
    wall_s: float
    num_calls: int
    num_nodes: int
    max_at_once: int
    """The most calls that held a slot at one time."""
    bytes_per_call: float
    """Of the dialogues that were sent to the workers."""


@dataclass(frozen=True, slots=True)
class Link:
    """Between the tree and the workers. `bytes_per_s` None: as many as there are at once."""

    round_trip_s: float = 0.0
    bytes_per_s: float | None = None

    def wait_s(self, num_bytes: int) -> float:
        """Of a call, there and back."""
        return self.round_trip_s + (num_bytes / self.bytes_per_s if self.bytes_per_s else 0.0)


def measure(num_slots: int, *, is_chained: bool, link: Link = Link()) -> Measured:
    """A tree of `NUM_PARTS` below the root: children of it, or each the only child of another."""
    return asyncio.run(_measure(num_slots, is_chained=is_chained, link=link))


async def _measure(num_slots: int, *, is_chained: bool, link: Link) -> Measured:
    slots = asyncio.Semaphore(num_slots)

    in_flight = max_at_once = 0
    sent_bytes: list[int] = []

    async def hold(call: Call) -> None:
        nonlocal in_flight, max_at_once
        num_bytes = sum(len(message.content.encode()) for message in call.prompt.messages)
        sent_bytes.append(num_bytes)
        if wait_s := link.wait_s(num_bytes):
            await asyncio.sleep(wait_s)
        async with slots:
            in_flight += 1
            max_at_once = max(max_at_once, in_flight)
            await asyncio.sleep(LATENCY_S)
            in_flight -= 1

    num_children = 1 if is_chained else NUM_PARTS
    numbers = count()  # a child that is asked for its parent's very goal would be refused

    def reply(messages: Sequence[Message], schema: Mapping[str, Any] | None) -> str:
        del messages
        if '"children"' in json.dumps(schema):
            goals = [f"part {next(numbers)}" for _ in range(num_children)]
            children = [{"goal": goal, "expects": None} for goal in goals]
            return json.dumps({"brief": "as asked", "children": children})
        return json.dumps({"answer": "done", "citations": []})

    engine = ScriptedEngine(rule=reply, hold=hold)
    task = Task(
        tenant="experiment",
        goal="Do all parts.",
        gate=Gate(mode="always"),
        limits=Limits(max_depth=NUM_PARTS if is_chained else 1),
    )
    began = time.perf_counter()
    tree = await grow(task, Ports(MemoryStore(), MemoryLibrary(), engine))
    wall_s = time.perf_counter() - began
    num_calls = len(engine.calls)
    return Measured(
        wall_s, num_calls, tree.usage.nodes, max_at_once, sum(sent_bytes) / len(sent_bytes)
    )
