"""The peers of `bench.peers`, and what runs come to: each at its best width, a table, a plot."""

from __future__ import annotations

import math
import re
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

BANYAN = "banyan"
FLOOR = "aiohttp"


@dataclass(frozen=True, slots=True)
class Peer:
    """One peer. `script` is a module of `bench.peer_runs`."""

    script: str
    package: str
    keeps: str
    """What is left of a run whose process is killed, by its source."""


KEEPS_OF_BANYAN = (
    "every turn and outcome in the store before it takes effect; another worker goes on, and only "
    "the calls in flight are made again"
)
PEERS: Mapping[str, Peer] = {
    FLOOR: Peer("raw_aiohttp", "aiohttp", "nothing: calls alone, the floor"),
    "rlms": Peer(
        "rlm_batched",
        "rlms",
        "nothing: answers are variables of the REPL; its logger writes finished iterations, from "
        "which nothing is taken up; a failed call's error text is an answer",
    ),
    "langchain": Peer(
        "langchain_batch",
        "langchain-core",
        "nothing: a batch is a gather; one failure raises and loses the others' answers, unless "
        "return_exceptions is set",
    ),
    "langgraph": Peer(
        "langgraph_send",
        "langgraph",
        "nothing without a checkpointer; one failed child raises and ends the graph",
    ),
    "langgraph, SQLite": Peer(
        "langgraph_sqlite",
        "langgraph",
        "finished children, in its file, which is written behind the run by default; a caller may "
        "invoke the thread again, and nobody does so by itself",
    ),
    "dspy Parallel": Peer(
        "dspy_parallel",
        "dspy",
        "nothing of a run; its cache of answers on disk (off here) may save equal calls when all "
        "is run again",
    ),
    "dspy acall": Peer("dspy_async", "dspy", "as dspy Parallel"),
    "llama-index": Peer(
        "llama_index_jobs",
        "llama-index-core",
        "nothing: jobs are a gather; one failure raises and loses the others' answers",
    ),
    "llama-index tree": Peer("llama_index_tree", "llama-index-core", "nothing: as llama-index"),
}


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a system. `failures` are children without their right answer."""

    system: str
    children: int
    width: int
    wall_s: float
    cpu_s: float
    calls: int
    prompt_tokens: int
    failures: int
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A system at one size, at the width that was best for it: medians over the rounds."""

    system: str
    children: int
    width: int
    rounds: int
    wall_s: float
    worst_wall_s: float
    cpu_ms_per_call: float
    calls: int
    tokens_per_call: float
    failures: int
    error: str | None


def rows(runs: Sequence[Run]) -> list[Row]:
    """One row a size and system, in the order in which they were run."""
    found: dict[tuple[int, str], dict[int, list[Run]]] = {}
    for run in runs:
        found.setdefault((run.children, run.system), {}).setdefault(run.width, []).append(run)
    best = [min(map(_row, widths.values()), key=_rank) for widths in found.values()]
    return sorted(best, key=lambda row: row.children)


def _row(runs: Sequence[Run]) -> Row:
    walls = [run.wall_s for run in runs]
    return Row(
        system=runs[0].system,
        children=runs[0].children,
        width=runs[0].width,
        rounds=len(runs),
        wall_s=statistics.median(walls),
        worst_wall_s=max(walls),
        cpu_ms_per_call=statistics.median(1_000 * run.cpu_s / max(1, run.calls) for run in runs),
        calls=max(run.calls for run in runs),
        tokens_per_call=max(run.prompt_tokens / max(1, run.calls) for run in runs),
        failures=max(run.failures for run in runs),
        error=next((run.error for run in runs if run.error), None),
    )


def _rank(row: Row) -> tuple[int, float]:
    return row.failures, row.wall_s


def table(found: Sequence[Row]) -> Iterator[str]:
    """Lines. The last two columns are the system's figures over Banyan's at the same size."""
    ours = {row.children: row for row in found if row.system == BANYAN}
    yield (
        "children  system             width  calls  failed  tokens/call   wall s    worst  "
        "CPU ms/call  wall x  CPU x"
    )
    for row in found:
        base = ours.get(row.children)
        wall = row.wall_s / base.wall_s if base else math.nan
        cpu = row.cpu_ms_per_call / base.cpu_ms_per_call if base else math.nan
        yield (
            f"{row.children:8}  {row.system:17}  {row.width:5}  {row.calls:5}  {row.failures:6}  "
            f"{row.tokens_per_call:11.0f}  {row.wall_s:7.3f}  {row.worst_wall_s:7.3f}  "
            f"{row.cpu_ms_per_call:11.2f}  {wall:6.2f}  {cpu:5.2f}"
            + (f"  {row.error}" if row.error else "")
        )


def goals(found: Sequence[Row], children: int = 1_000) -> Iterator[str]:
    """Whether the goals at that size hold; nothing where it was not measured."""
    at = {row.system: row for row in found if row.children == children}
    ours = at.get(BANYAN)
    if ours is None:
        return
    yield _goal(f"wall {ours.wall_s:.2f} s, goal 1.5", holds=ours.wall_s <= 1.5)
    cpu_ms = ours.cpu_ms_per_call
    yield _goal(f"CPU a call {cpu_ms:.2f} ms, goal 1.0", holds=cpu_ms <= 1.0)
    if "rlms" in at:
        times = at["rlms"].wall_s / ours.wall_s
        yield _goal(f"{times:.1f} times faster than rlms, goal 3", holds=times >= 3)
    if FLOOR in at:
        times = ours.wall_s / at[FLOOR].wall_s
        yield _goal(f"{times:.1f} times raw aiohttp's wall, goal 3", holds=times <= 3)


def _goal(sentence: str, *, holds: bool) -> str:
    return f"{'met   ' if holds else 'missed'} at 1,000 children: {sentence}"


def version(package: str, lock_file: Path) -> str:
    """As the lock file has it. Raises LookupError for what is not in it."""
    found = re.search(rf"^{re.escape(package)}==(\S+)", lock_file.read_text(), re.MULTILINE)
    if found is None:
        raise LookupError(package)
    return found[1]


def write_plot(found: Sequence[Row], path: Path) -> None:
    """Wall seconds, and CPU a call, over the number of children, as a PNG file."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 - takes a second
    from matplotlib.figure import Figure  # noqa: PLC0415

    figure = Figure(figsize=(11.0, 4.5), layout="constrained")
    FigureCanvasAgg(figure)
    walls, cpus = figure.subplots(1, 2)
    for system in dict.fromkeys(row.system for row in found):
        of_system = [row for row in found if row.system == system and not row.failures]
        sizes = [row.children for row in of_system]
        style = {"marker": "o", "linewidth": 3.0 if system == BANYAN else 1.2}
        walls.plot(sizes, [row.wall_s for row in of_system], label=system, **style)
        cpus.plot(sizes, [row.cpu_ms_per_call for row in of_system], **style)
    walls.set_ylabel("wall, s")
    cpus.set_ylabel("CPU a call, ms")
    for axes in (walls, cpus):
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xlabel("children")
        axes.grid(visible=True, which="major", alpha=0.3)
    figure.legend(loc="outside right upper")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=144)
