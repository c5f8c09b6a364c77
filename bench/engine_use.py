"""How much of a model server `/solve` uses, against a plain load generator on the same server.

    python -m bench.engine_use                        fake servers: eight slots, and a batch of 32
    python -m bench.engine_use --calls 300 --seconds 3
    python -m bench.engine_use --engine-kind vllm --engine http://127.0.0.1:8000 --tokens 40000
    python -m bench.engine_use --engine http://127.0.0.1:8000 --tokens 10000 --solves 12 --at-once 4

Fresh workers find by themselves how many calls the server takes (`BANYAN_ENGINE_CONCURRENCY=auto`).
Then a plain generator sends calls of the same mean lengths, prefixes that the server had cached
among them, with 1, 2, 4 and more in flight. Both are measured by the server's own counters. In the
middle of the solve the fake servers become three times slower, and `/solve` and the generator, with
the width that was best, are compared again; a real server cannot be told to. There the next solve
begins when one of those `--at-once` has ended, and what comes once there is no next is not
measured. With `--dressed` it is told besides what the generator gets of vLLM where it asks, as
`/solve` does, for log-probabilities and for JSON under a schema. `cold` is the time until the
server gave 95 % of what it gave to the generator, over about as long as two calls take.

Goal: 95 % of the tokens a second of the generator at its best width, before and after.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx

from banyan.local.engine_choice import SMALL_MODEL
from bench.engine_counts import Rate, Samples
from bench.grown import solve_text
from bench.plain_load import LOGPROBS, Lengths, PlainLoad, under_schema
from bench.plot import write_lines
from bench.stack import Stack, wait_until
from bench.texts import entries

GOAL = 0.95
_BYTES_PER_TOKEN = 3.6
_TAIL = 0.9
"""Of the calls: after these fewer are left than the server takes."""
_WITHIN_S = 3_600.0
_SPENT = ("llm_calls", "prompt_tokens", "cached_tokens", "completion_tokens")
_ROUNDS = 3
"""Of each caller at least, of which the first is not counted. Callers go in step: all of their
prompts are read, then all of their completions are written, which is several times slower."""
_LEAST_SAMPLES = 8
"""Of a width: on a busy machine they come slowly."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A fake server. `latency_s` is of a call that is alone, `growth` as the server has it."""

    name: str
    serves: int
    latency_s: float
    growth: float = 0.0

    @property
    def options(self) -> tuple[str, ...]:
        return ("--rule", "longest", "--serves", str(self.serves), "--growth", str(self.growth))


SHAPES = (Shape("slots", 8, 0.25), Shape("batch", 32, 0.25, 0.05))


@dataclass(frozen=True, slots=True)
class Row:
    """One server at one speed."""

    server: str
    phase: str
    best_width: int
    plain: Rate
    solve: Rate

    @property
    def share(self) -> float:
        """Of the generator's tokens a second."""
        return self.solve.tokens_per_s / self.plain.tokens_per_s


@dataclass(frozen=True, slots=True)
class Measured:
    """All of one server. `curve`: tokens a second of the generator by its width."""

    rows: list[Row]
    curve: dict[int, float]
    cold_s: float | None
    """None where the server was never that busy before it became slower."""
    dressed: dict[str, float] = field(default_factory=dict)
    """The generator's tokens a second at its best width, where it asks for what `/solve` does."""


@dataclass(slots=True)
class Solved:
    """What is known of the solve: when the server was slowed down, and when its tail began.

    `lengths` are means of the calls that are measured.
    """

    lengths: Lengths
    began_s: float
    slowed_s: float | None
    tail_s: float


def lengths(spent: Mapping[str, int], calls: int) -> Lengths:
    """Means of so many calls, from their tokens by kind."""
    prompt, cached, completion = (
        round(spent[f"{kind}_tokens"] / calls) for kind in ("prompt", "cached", "completion")
    )
    return Lengths(prompt, cached, completion)


def solve_fake(stack: Stack, http: httpx.Client, options: argparse.Namespace) -> Solved:
    """A wide tree on the fake server, which becomes slower in its middle."""

    def calls() -> int:
        return stack.engine_stats(http)["calls"]

    limits = {"max_depth": 1, "max_nodes": options.calls, "max_parallel": 10_000}
    limits |= {"max_tokens": 10_000_000_000, "deadline_s": 86_400}
    began = time.monotonic()
    started = stack.submit(
        http, f"fan-out {options.calls - 2}", gate={"mode": "always"}, limits=limits
    )
    wait_until(lambda: calls() >= options.calls / 2, _WITHIN_S)
    slow_down(http, stack.engine_url, options.slowness)
    slowed = time.monotonic()
    wait_until(lambda: calls() >= _TAIL * options.calls, _WITHIN_S)
    tail, seen = time.monotonic(), stack.engine_stats(http)
    solve = stack.wait(http, started)
    # As long as they are, the answers do not all fit the root's window, and it is partial.
    whole = solve["status"] in {"completed", "partial"}
    if not whole or solve["usage"]["llm_calls"] != options.calls:
        raise RuntimeError(f"{solve['status']}: {solve['usage']}, {solve['error']}")
    # The server counts what has ended; the root's last call reads all answers, and is not measured.
    ended = seen["calls"] - seen["in_flight"]
    return Solved(lengths(seen, ended), began, slowed, tail)


def solve_real(stack: Stack, http: httpx.Client, options: argparse.Namespace) -> Solved:
    """Documents on a server that runs, a solve each, so many at one time."""
    size = int(options.tokens * _BYTES_PER_TOKEN)
    total = size * options.solves
    text = options.file.read_bytes()[:total] if options.file else b"".join(entries(total))

    def solve(part: bytes) -> tuple[dict[str, int], float]:
        return solve_text(stack, http, iter([part]))["usage"], time.monotonic()

    began = time.monotonic()
    with ThreadPoolExecutor(options.at_once) as pool:
        parts = [text[start : start + size] for start in range(0, len(text), size)]
        used, ends = zip(*pool.map(solve, parts), strict=True)
    spent = {name: sum(usage[name] for usage in used) for name in _SPENT}
    fewer = sorted(ends)[
        -min(options.at_once, len(ends))
    ]  # from then on less is under way than there could be
    tail = min(fewer, began + _TAIL * (max(ends) - began))
    return Solved(lengths(spent, spent["llm_calls"]), began, None, tail)


def slow_down(http: httpx.Client, url: str, factor: float) -> None:
    """Have the fake server take so many times as long for each call."""
    http.post(f"{url}/slowness", content=str(factor)).raise_for_status()


def measure(
    name: str,
    stack: Stack,
    solve: Callable[[Stack, httpx.Client, argparse.Namespace], Solved],
    options: argparse.Namespace,
    settle_s: float,
) -> Measured:
    """`settle_s`: after a change of speed, until calls of the old one have ended."""
    is_fake = not options.engine
    with stack, httpx.Client(timeout=_WITHIN_S, trust_env=False) as http:
        with Samples(stack.engine_url, is_fake=is_fake) as samples:
            solved = solve(stack, http, options)
        load = asyncio.run(PlainLoad.made(stack.engine_url, solved.lengths))

        def plain(width: int, slowness: float = 1.0, load: PlainLoad = load) -> Rate:
            if is_fake:
                slow_down(http, stack.engine_url, slowness)
            with Samples(stack.engine_url, is_fake=is_fake) as taken:
                running = load.run(
                    width,
                    options.seconds * slowness,
                    rounds=_ROUNDS,
                    enough=lambda: len(taken.kept) >= _LEAST_SAMPLES,
                )
                ends = asyncio.run(running)
            return taken.between(ends[width - 1], ends[-1])

        curve = {width: plain(width) for width in options.widths}
        best = max(curve, key=lambda width: curve[width].tokens_per_s)
        cold_s = _cold(samples, solved, curve[best].tokens_per_s, settle_s)
        ends = solved.slowed_s or solved.tail_s
        warm_s = (ends - solved.began_s) / 3 if cold_s is None else cold_s
        before = samples.between(solved.began_s + warm_s, ends)
        rows = [Row(name, "from cold", best, curve[best], before)]
        if solved.slowed_s is not None:
            slow = samples.between(solved.slowed_s + settle_s, solved.tail_s)
            rows.append(Row(name, "slowed", best, plain(best, options.slowness), slow))
        dressed = {}
        if options.dressed:
            schema = under_schema(solved.lengths)
            asked = {"log-probabilities": LOGPROBS, "and a schema": {**LOGPROBS, **schema}}
            for what, more in asked.items():
                dressed[what] = plain(best, load=replace(load, more=more)).tokens_per_s
    rates = {width: rate.tokens_per_s for width, rate in curve.items()}
    return Measured(rows, rates, None if cold_s is None else round(cold_s, 2), dressed)


def _cold(samples: Samples, solved: Solved, best: float, window_s: float) -> float | None:
    """Seconds from the start of the solve until the server was as busy as it can be, if ever."""
    ends = solved.slowed_s or solved.tail_s
    for counts in samples.kept:
        if not solved.began_s <= counts.at_s <= ends - window_s:
            continue
        later = [c for c in samples.kept if counts.at_s <= c.at_s <= counts.at_s + window_s]
        if len(later) > 1 and Rate.of(later).tokens_per_s >= GOAL * best:
            return counts.at_s - solved.began_s
    return None


def measured(options: argparse.Namespace) -> Iterator[Measured]:
    """Each server in turn."""
    workers: dict[str, Any] = {
        "num_workers": options.workers,
        "slots": options.slots,
        "settings": {"BANYAN_ENGINE_CONCURRENCY": "auto"},
    }
    if options.small_model:
        workers["settings"] |= SMALL_MODEL
    if options.engine:
        stack = Stack(
            engine=(options.engine_kind, options.engine), window=options.window, **workers
        )
        yield measure(options.engine_kind, stack, solve_real, options, options.seconds / 2)
        return
    for shape in SHAPES:
        stack = Stack(latency_s=shape.latency_s, engine_options=shape.options, **workers)
        batch = 1 + shape.growth * (shape.serves - 1)
        settle_s = 2 * shape.latency_s * batch * options.slowness
        yield measure(shape.name, stack, solve_fake, options, settle_s)


def show(row: Row) -> None:
    """A line of the table."""
    print(
        f"{row.server:>7} {row.phase:>10} {row.plain.tokens_per_s:10.1f} {row.best_width:6} "
        f"{row.solve.tokens_per_s:10.1f} {row.share:6.1%} "
        f"{row.solve.in_flight:10.1f} {row.solve.waiting:8.1f}",
        flush=True,
    )


def main() -> int:
    """Run, print a table, and write JSON and a plot where they are wanted."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--calls", type=int, default=1_000, help="of the solve, on fake servers")
    parser.add_argument("--slowness", type=float, default=3.0, help="of fake servers, later")
    parser.add_argument("--widths", type=int, nargs="+", default=[1, 2, 4, 8, 16, 32, 64])
    parser.add_argument("--seconds", type=float, default=8.0, help="of each width")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--slots", type=int, default=256, help="over all workers")
    parser.add_argument("--engine", help="URL of a model server that runs, instead of fake ones")
    parser.add_argument("--engine-kind", choices=("vllm", "llama"), default="vllm")
    parser.add_argument("--tokens", type=int, default=40_000, help="of the document, there")
    parser.add_argument("--solves", type=int, default=1, help="there, a document each")
    parser.add_argument("--at-once", type=int, default=1, help="of these, at one time")
    parser.add_argument("--small-model", action="store_true", help="there, as of `banyan up`")
    parser.add_argument(
        "--dressed", action="store_true", help="of vLLM: also with log-probabilities, with a schema"
    )
    parser.add_argument("--file", type=Path, help="document; default: a generated one")
    parser.add_argument("--window", type=int, default=2_048, help="tokens, there")
    parser.add_argument("--out", type=Path, help="write the results as JSON")
    parser.add_argument("--plot", type=Path, help="write a plot as PNG")
    options = parser.parse_args()
    if not 1 <= options.at_once <= options.solves:
        parser.error("--at-once: as many as --solves at most")
    if not options.engine and (options.dressed or options.small_model or options.solves > 1):
        parser.error("--dressed, --small-model and --solves are for --engine")
    print(" server      phase plain tok/s  width solve tok/s share  in flight  waiting", flush=True)
    found: list[Measured] = []
    for each in measured(options):
        found.append(each)
        for row in each.rows:
            show(row)
        curve = ", ".join(f"{width}: {rate:.0f}" for width, rate in each.curve.items())
        print(f"        cold {each.cold_s} s; plain by width: {curve}", flush=True)
        if each.dressed:
            told = ", ".join(f"{what} {rate:.0f}" for what, rate in each.dressed.items())
            print(f"        the generator with {told}", flush=True)
    met = all(row.share >= GOAL for each in found for row in each.rows)
    print(f"goal {GOAL:.0%}: {'met' if met else 'missed'}")
    if options.out is not None:
        options.out.write_text(json.dumps([asdict(each) for each in found], indent=1))
    if options.plot is not None:
        _plot(options.plot, found)
    return 0


def _plot(path: Path, found: list[Measured]) -> None:
    lines: dict[str, list[tuple[float, float]]] = {}
    for each in found:
        lines[f"{each.rows[0].server}, plain"] = sorted(each.curve.items())
        for row in each.rows:
            point = (row.solve.in_flight, row.solve.tokens_per_s)
            lines[f"{row.server}, /solve {row.phase}"] = [point]
    write_lines(
        path,
        lines,
        x="calls in flight",
        y="tokens a second",
        title="Use of the model server",
        log_x=True,
    )


if __name__ == "__main__":
    sys.exit(main())
