"""A durable tree against peers that keep everything in one process, on the same fake model server.

    python -m bench.peers
    python -m bench.peers --children 10 100 1000 10000 --json peers.json --plot peers.png

One root, N children and a merge, 50 ms a call. Each peer is a script (`bench/peer_runs/`) in the
peers' own environment, which is made at the first run, without Banyan. It runs at several widths,
and the best of them counts. Wall time and CPU are of the run alone, without imports and after a
small first run; Banyan's CPU is that of the service, the workers and Valkey, a peer's that of its
process. Calls are counted by the server. In each round Banyan and all peers take turns.

Peers' prompts are one sentence. Banyan's carry what a node is told: see tokens a call.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import httpx

from banyan.local.cached_env import CachedEnvironmentError
from banyan.local.ports import LOOPBACK, free_port
from banyan.local.probes import is_up
from banyan.local.processes import Processes
from banyan.local.programs import ROOT, command, environment
from bench import orchestration, peer_table
from bench.orchestration import Shape
from bench.peer_table import BANYAN, PEERS, Run
from bench.peers_env import peers_env
from bench.stack import START_S, Stack, wait_until

WINDOW = 1_048_576
"""Tokens. A list of children may take a quarter of it: room for 10,000."""
_PEER_S = 1_800.0
"""Of all runs of one peer."""
_QUIET = {
    "DSPY_CACHEDIR": tempfile.gettempdir(),
    "LANGSMITH_TRACING": "false",
    "NO_PROXY": "*",
    "OPENAI_API_KEY": "none",
    "PYTHONPATH": "",
}


def main() -> int:
    """Measure, print the table, the goals and what each keeps."""
    options = _options()
    runs: list[Run] = []
    absent: dict[str, str] = {}
    try:
        python = peers_env().ensure(lambda sentence: print(sentence, file=sys.stderr))
    except CachedEnvironmentError as error:
        absent, python = dict.fromkeys(options.peers, str(error)), None
    with _fake_server(options.latency) as url:
        for number in range(1, options.rounds + 1):
            _tell(number, options.rounds, BANYAN)
            runs += _banyan(url, options)
            for name in options.peers:
                if python is None or name in absent:
                    continue
                _tell(number, options.rounds, name)
                found, failure = _peer(python, name, url, options)
                runs += found
                if failure is not None:
                    absent[name] = failure
    rows = peer_table.rows(runs)
    for line in (*peer_table.table(rows), *peer_table.goals(rows)):
        print(line)
    print(f"\nWhat a killed process leaves\n  {BANYAN}: {peer_table.KEEPS_OF_BANYAN}")
    for name in options.peers:
        print(f"  {name} {_version(name)}: {PEERS[name].keeps}")
    for name, why in absent.items():
        print(f"did not run: {name} {_version(name)}: {why}")
    if options.json is not None:
        _write_json(options.json, rows, runs, absent)
    if options.plot is not None:
        peer_table.write_plot(rows, options.plot)
    return 0


def _tell(number: int, num_rounds: int, system: str) -> None:
    print(f"round {number} of {num_rounds}: {system}", file=sys.stderr, flush=True)


@contextmanager
def _fake_server(latency_s: float) -> Iterator[str]:
    """The URL of the official fake, in a process of its own."""
    port = free_port()
    url = f"http://{LOOPBACK}:{port}"
    arguments = ("--port", str(port), "--latency", str(latency_s), "--window", str(WINDOW))
    with (
        tempfile.TemporaryDirectory(prefix="banyan-bench-") as logs,
        Processes(Path(logs)) as processes,
    ):
        argv = command("banyan.testing", *arguments, "--rule", "sections")
        processes.start("engine", argv, env=environment())
        wait_until(lambda: is_up(f"{url}/health"), START_S)
        yield url


def _banyan(url: str, options: argparse.Namespace) -> Iterator[Run]:
    """One run a size. Raises RuntimeError where a tree is not whole."""
    stack = Stack(
        engine=("openai", url),
        num_workers=options.workers,
        slots=options.slots,
        window=WINDOW,
        settings={"BANYAN_COALESCE": "off"},  # calls are what is counted
    )
    with stack, httpx.Client(timeout=130.0, trust_env=False) as client:
        orchestration.run(Shape(fan_out=8, depth=1, latency_s=options.latency), stack, client)
        for children in options.children:
            shape = Shape(fan_out=children, depth=1, latency_s=options.latency)
            tokens = stack.engine_stats(client)["prompt_tokens"]
            result = orchestration.run(shape, stack, client)
            yield Run(
                system=BANYAN,
                children=children,
                width=options.slots,
                wall_s=result.wall_s,
                cpu_s=result.cpu_ms_per_call * result.llm_calls / 1_000,
                calls=result.llm_calls,
                prompt_tokens=stack.engine_stats(client)["prompt_tokens"] - tokens,
                failures=0,
            )


def _peer(
    python: Path, name: str, url: str, options: argparse.Namespace
) -> tuple[list[Run], str | None]:
    """What it printed, and why it ended badly where it did."""
    arguments = ["--url", url, "--children", *map(str, options.children)]
    arguments += ["--widths", *map(str, options.widths)]
    argv = [str(python), "-m", f"bench.peer_runs.{PEERS[name].script}", *arguments]
    try:
        done = subprocess.run(  # noqa: S603 - our own script
            argv,
            cwd=ROOT,
            env=environment(_QUIET),
            capture_output=True,
            text=True,
            timeout=_PEER_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return [], f"took more than {_PEER_S:.0f} s"
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    said = [line for line in done.stderr.splitlines() if line.strip()]
    failure = (said or [f"exit code {done.returncode}"])[-1] if done.returncode else None
    return [Run(system=name, **line) for line in lines], failure


def _version(name: str) -> str:
    return peer_table.version(PEERS[name].package, peers_env().lock_file)


def _write_json(
    path: Path, rows: Sequence[peer_table.Row], runs: Sequence[Run], absent: dict[str, str]
) -> None:
    found = {
        "rows": [asdict(row) for row in rows],
        "runs": [asdict(run) for run in runs],
        "versions": {name: _version(name) for name in PEERS},
        "did_not_run": absent,
    }
    path.write_text(json.dumps(found, indent=2), encoding="utf-8")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--children", type=int, nargs="+", default=[10, 100, 1_000])
    parser.add_argument(
        "--widths", type=int, nargs="+", default=[64, 256, 1_024], help="of peers, calls in flight"
    )
    parser.add_argument("--peers", nargs="+", choices=tuple(PEERS), default=list(PEERS))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--latency", type=float, default=0.05, help="seconds of a call")
    parser.add_argument("--workers", type=int, default=2, help="Banyan's")
    parser.add_argument("--slots", type=int, default=1_100, help="Banyan's, over all workers")
    parser.add_argument("--json", type=Path, help="write all results there")
    parser.add_argument("--plot", type=Path, help="write a PNG file there")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
