"""The estimate of a solve against what it takes, and what is likely by the trees before it.

python -m bench.estimate                   trees in this process, on the scripted engine
python -m bench.estimate --stack           the same texts on a service of its own, with seconds
python -m bench.estimate --url URL FILE    a running service, and a text of yours
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx

from banyan.adapters.memory_library import MemoryLibrary
from banyan.adapters.memory_store import MemoryStore
from banyan.estimate import Estimate, Plan, estimate
from banyan.in_process import grow
from banyan.likely import corrected, ratios
from banyan.node import ROOT_PATH, Node
from banyan.policy import BASE
from banyan.ports import Ports
from banyan.spans import Span
from banyan.specialists import Specialist
from banyan.state import unpack
from banyan.task import Task
from banyan.testing import ScriptedEngine
from banyan.tree import Usage
from bench.stack import Stack

GOAL = "Summarise the text."
SENTENCES = (20, 100, 400, 1_500, 4_000, 12_000)
WAIT_S = 600
LATENCY_S = 0.25

_Counts = tuple[int, int, int, int, int]
_HEADER = ("", "nodes", "calls", "depth", "prompt", "completion")


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", help="a running service; default: in this process")
    parser.add_argument("--stack", action="store_true", help="a service around a fake engine")
    parser.add_argument("file", nargs="?", type=Path, help="the text for it")
    parser.add_argument("--goal", default=GOAL)
    options = parser.parse_args()
    _row(*_HEADER)
    if options.stack:
        with Stack(latency_s=LATENCY_S, num_workers=1, slots=16, window=2_048) as stack:
            for count in SENTENCES:
                _on_service(stack.url, _text(count), options.goal)
        return 0
    if options.url is None:
        asyncio.run(_in_process())
        return 0
    if options.file is None:
        parser.error("a running service needs a FILE")
    _on_service(options.url, options.file.read_text(encoding="utf-8"), options.goal)
    return 0


async def _in_process() -> None:
    grown: list[tuple[Plan, Usage]] = []
    for count in SENTENCES:
        text = _text(count)
        ports = Ports(MemoryStore(), MemoryLibrary(), ScriptedEngine())

        async def chunks(text: str = text) -> AsyncIterator[bytes]:
            yield text.encode()

        info = await ports.library.put("bench", chunks())
        span = Span(document=info.id, start=0, end=info.num_chars)
        task = Task(tenant="bench", goal=GOAL, inputs=(span,))
        tree = await grow(task, ports)
        root = unpack((await ports.store.get_node(tree.id, ROOT_PATH)).packed or b"", Node)
        window = (await ports.engine.abilities()).window
        planned = estimate(
            task,
            info.num_chars,
            own=Specialist(BASE, window),
            tokens_per_char=root.tokens_per_char,
        )
        used = tree.usage
        planned = corrected(planned, ratios(grown), task.limits)
        grown.append((planned.most, used))
        _compare(
            f"{count} sentences",
            planned,
            (
                used.nodes,
                used.llm_calls,
                used.max_depth,
                used.prompt_tokens,
                used.completion_tokens,
            ),
        )


def _text(num_sentences: int) -> str:
    return " ".join(
        f"Sentence number {index} is about topic {index % 7}." for index in range(num_sentences)
    )


def _on_service(url: str, text: str, goal: str) -> None:
    body = {"goal": goal, "documents": [{"text": text}]}
    with httpx.Client(base_url=url, timeout=WAIT_S + 30) as client:
        reply = client.post("/solve/estimate", json=body)
        reply.raise_for_status()
        planned = Estimate.model_validate(reply.json())
        solved = client.post("/solve", json=body, headers={"Prefer": f"wait={WAIT_S}"}).json()
    used = solved["usage"]
    names = ("nodes", "llm_calls", "max_depth", "prompt_tokens", "completion_tokens")
    nodes, calls, depth, prompt, completion = (int(used[name]) for name in names)
    _compare(solved["status"], planned, (nodes, calls, depth, prompt, completion))
    sys.stdout.write(
        f"seconds: least {planned.least.seconds}, most {planned.most.seconds}, likely "
        f"{planned.likely and planned.likely.seconds}, used {solved['timing']['wall_s']}\n"
    )


def _compare(name: str, planned: Estimate, used: _Counts) -> None:
    _row(f"{name}: least", *_counts(planned.least))
    _row("most", *_counts(planned.most))
    if planned.likely is not None:
        _row("likely", *_counts(planned.likely))
    _row("used", *used)


def _counts(plan: Plan) -> _Counts:
    return (
        plan.nodes,
        plan.llm_calls,
        plan.max_depth,
        plan.prompt_tokens,
        plan.completion_tokens,
    )


def _row(name: str, *cells: object) -> None:
    sys.stdout.write(f"{name:>24}" + "".join(f"{cell!s:>12}" for cell in cells) + "\n")


if __name__ == "__main__":
    sys.exit(main())
