"""What is far larger than usual: a tree of 100,000 nodes, and a document of 100 MB.

    python -m bench.huge                    both
    python -m bench.huge --one-line         a document of 1 GB without a line's end, on 100 nodes

While they run the API is asked as a page in a browser asks it, and the memory of every process is
watched. The oracle: both end as `completed`, the tree whole and the document read to its end (of
the line, as far as its nodes go), and no request fails.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from bench.orchestration import Shape
from bench.stack import Stack
from bench.texts import entries
from bench.watch import Watch

MB = 1_000_000
PAGE = 1_000
_SLOWEST = 3
_LIMITS = {"max_parallel": 10_000, "max_tokens": 10_000_000_000, "deadline_s": 86_400}


@dataclass(frozen=True, slots=True, order=True)
class Request:
    """How long the page waited, and when in the run: seconds since its start."""

    seconds: float
    at_s: float
    path: str

    def __str__(self) -> str:
        return f"{self.seconds:.2f} s for {self.path} at {self.at_s:.0f} s"


@dataclass(slots=True)
class Visitor:
    """Asks what a page asks, again and again, on a thread of its own."""

    url: str
    paths: tuple[str, ...]
    requests: list[Request] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def visiting(self) -> Iterator[None]:
        thread = threading.Thread(target=self._run, name="visitor", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._stop.set()
            thread.join(60)

    def _run(self) -> None:
        started = time.monotonic()
        with httpx.Client(timeout=60.0, trust_env=False) as http:
            while not self._stop.wait(0.5):
                for path in self.paths:
                    began = time.monotonic()
                    try:
                        http.get(f"{self.url}{path}").raise_for_status()
                    except httpx.HTTPError as error:
                        self.failures.append(f"{path}: {type(error).__name__}")
                    took = time.monotonic() - began
                    self.requests.append(Request(took, began - started, path))

    def __str__(self) -> str:
        if not self.requests:
            return "no request was made"
        median = statistics.median(request.seconds for request in self.requests)
        slowest = "; ".join(map(str, sorted(self.requests, reverse=True)[:_SLOWEST]))
        return (
            f"{len(self.requests)} requests meanwhile: median {median:.3f} s, {len(self.failures)} "
            f"failed, the slowest {slowest}"
        )


def main() -> int:
    """Run, print the figures; exit code 1 where the oracle does not hold."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--fan-out", type=int, default=316, help="of two levels: 100,173 nodes")
    parser.add_argument("--megabytes", type=int, default=100)
    parser.add_argument("--one-line", action="store_true", help="only this: 1 GB in one line")
    parser.add_argument("--only", choices=("tree", "document"))
    options = parser.parse_args()
    works: list[Callable[[Stack, httpx.Client], dict[str, bool]]] = []
    if options.one_line:
        works = [lambda stack, http: _document(stack, http, 1_000, one_line=True)]
    else:
        if options.only != "document":
            works.append(lambda stack, http: _tree(stack, http, options.fan_out))
        if options.only != "tree":
            works.append(lambda stack, http: _document(stack, http, options.megabytes))
    holds: dict[str, bool] = {}
    for work in works:
        with Stack() as stack, httpx.Client(timeout=900.0, trust_env=False) as http:
            with Watch(stack) as watch:
                holds |= work(stack, http)
            print(watch.table(), flush=True)
    for name, held in holds.items():
        print(f"{'ok   ' if held else 'FAIL '} {name}")
    return 0 if all(holds.values()) else 1


def _tree(stack: Stack, http: httpx.Client, fan_out: int) -> dict[str, bool]:
    shape = Shape(fan_out=fan_out, depth=2, latency_s=0.0)
    limits = {**_LIMITS, "max_depth": 2, "max_nodes": shape.num_nodes}
    tree = stack.submit(http, f"fan-out {fan_out}", gate={"mode": "always"}, limits=limits)
    paths = (f"/solve/{tree}", f"/solve/{tree}/tree?limit={PAGE}", f"/solve/{tree}/nodes/0")
    solve, visitor = _solved(stack, http, tree, paths)
    began = time.monotonic()
    num_nodes = sum(1 for _ in nodes_of(stack, http, tree))
    paged_s = time.monotonic() - began
    with http.stream("GET", f"{stack.url}/solve/{tree}/trace") as reply:
        num_bytes = sum(map(len, reply.iter_raw()))
    print(f"paged through {num_nodes:,} nodes in {paged_s:.1f} s; trace {num_bytes / MB:.1f} MB")
    began = time.monotonic()
    http.delete(f"{stack.url}/solve/{tree}").raise_for_status()
    print(f"deleted in {time.monotonic() - began:.1f} s")
    return {
        f"tree {solve['status']}, {solve['usage']['nodes']:,} nodes": (
            solve["status"] == "completed" and solve["usage"]["nodes"] == shape.num_nodes
        ),
        "every node is on a page": num_nodes == shape.num_nodes,
        "no request failed beside the tree": not visitor.failures,
    }


def _document(
    stack: Stack, http: httpx.Client, megabytes: int, *, one_line: bool = False
) -> dict[str, bool]:
    began = time.monotonic()
    reply = http.post(
        f"{stack.url}/documents",
        content=entries(megabytes * MB, " " if one_line else "\n"),
        headers={"Content-Type": "text/plain"},
    ).raise_for_status()
    document = reply.json()["id"]
    print(f"uploaded {megabytes} MB in {time.monotonic() - began:.1f} s", flush=True)
    tree = stack.submit(
        http,
        "Summarize this.",
        documents=[{"id": document}],
        limits={**_LIMITS, "max_nodes": 100 if one_line else 10_000},
    )
    end = megabytes * MB - 200
    paths = (f"/solve/{tree}", f"/documents/{document}/text?start={end}&end={end + 100}")
    solve, visitor = _solved(stack, http, tree, paths)
    share = solve["coverage"]["share"]
    usage = solve["usage"]
    print(f"coverage {share:.3f}, {usage['nodes']} nodes, {usage['llm_calls']} calls")
    failures = Counter(
        f"{node['outcome']} {(node['failure'] or {}).get('code')}"
        for node in nodes_of(stack, http, tree)
        if not node["complete"]
    )
    print(f"nodes that are not complete: {dict(failures)}")
    ended = {"completed", "partial"} if one_line else {"completed"}
    return {
        f"document {solve['status']}": solve["status"] in ended,
        f"read {100 * share:.0f} %": one_line or share == 1.0,
        "no request failed beside the document": not visitor.failures,
    }


def nodes_of(stack: Stack, http: httpx.Client, tree: str) -> Iterator[dict[str, Any]]:
    """All nodes of a tree, page by page."""
    cursor = ""
    while cursor is not None:
        query = f"limit={PAGE}" + (f"&cursor={cursor}" if cursor else "")
        page = http.get(f"{stack.url}/solve/{tree}/tree?{query}").raise_for_status().json()
        yield from page["nodes"]
        cursor = page["next"]


def _solved(
    stack: Stack, http: httpx.Client, tree: str, paths: tuple[str, ...]
) -> tuple[dict[str, Any], Visitor]:
    visitor, began = Visitor(stack.url, paths), time.monotonic()
    with visitor.visiting():
        solve = stack.wait(http, tree)
    print(f"{solve['status']} after {time.monotonic() - began:.0f} s; {visitor}", flush=True)
    return solve, visitor


if __name__ == "__main__":
    sys.exit(main())
