"""Run one scenario, or all of them, for as long as one likes.

python -m bench.chaos workers-killed --seed 1
python -m bench.chaos all --minutes 30
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace

from bench.chaos.house import LEASE_S, House
from bench.chaos.report import Report, Size
from bench.chaos.scenarios import SCENARIOS
from bench.chaos.scenarios.engine_killed import NUM_ENGINES


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what each run counted; exit code 1 where an oracle does not hold."""
    options = _parser().parse_args(arguments)
    names = list(SCENARIOS) if options.scenario == "all" else [options.scenario]
    size = Size(options.seed, options.trees, options.faults, options.depth)
    ends_at = time.monotonic() + 60 * options.minutes
    reports = []
    for name, one in _rounds(names, size):
        num_engines = NUM_ENGINES if name == "engine-killed" else 1
        with House(num_engines=num_engines, lease_s=options.lease) as house:
            report = SCENARIOS[name](house, one)
        reports.append(report)
        print(json.dumps(asdict(report)) if options.json else _shown(report), flush=True)
        is_last = len(reports) % len(names) == 0
        if is_last and time.monotonic() >= ends_at:
            break
    return 0 if all(report.holds for report in reports) else 1


def _rounds(names: Sequence[str], size: Size) -> Iterator[tuple[str, Size]]:
    """All scenarios again and again, each round with the next seed."""
    for index in itertools.count():
        for name in names:
            yield name, replace(size, seed=size.seed + index)


def _shown(report: Report) -> str:
    lines = [f"{report.scenario}, seed {report.seed}"]
    lines += [f"      {name}: {value}" for name, value in report.figures.items()]
    lines += [f"{'ok   ' if held else 'FAIL '} {name}" for name, held in report.checks.items()]
    return "\n".join(lines)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.chaos", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("scenario", choices=[*SCENARIOS, "all"])
    parser.add_argument("--seed", type=int, default=1, help="of all that is left to chance")
    parser.add_argument("--trees", type=int, help="default: the scenario's own")
    parser.add_argument(
        "--faults", type=int, help="kills, or what the scenario does in their place"
    )
    parser.add_argument("--depth", type=int, default=5, help="5: trees of 1,365 nodes")
    parser.add_argument(
        "--lease", type=float, default=LEASE_S, help="seconds; more where others use the machine"
    )
    parser.add_argument("--minutes", type=float, default=0.0, help="again, with other seeds, until")
    parser.add_argument("--json", action="store_true", help="one JSON object a run")
    return parser


if __name__ == "__main__":
    sys.exit(main())
