"""Queue time and GPU hours under bursts: recorded trees, the chart's own numbers, KEDA's rules.

    python -m bench.scaling
    python -m bench.scaling --start-s 600 --trees 200

A simulation (`bench.burst`). Trees are those of `bench/trees.json` (`bench.record_tree`). How fast
a server is, and how long a start takes, are assumptions that are printed with the result;
thresholds, polling, cooldown and limits are read out of helm/banyan/values.yaml. Workers are taken
to be enough: a slot costs memory only.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from bench.burst import START_S, Outcome, Pool, Speed, simulate
from bench.keda import Scaler, Trigger
from bench.record_tree import read

VALUES = Path(__file__).resolve().parents[1] / "helm" / "banyan" / "values.yaml"


def chart_scaler(least: int, most: int) -> Callable[[Pool], Scaler]:
    """What the chart makes of a pool: its triggers and its thresholds."""
    defaults: Any = yaml.safe_load(VALUES.read_text(encoding="utf-8"))["engineDefaults"]
    told = defaults["autoscaling"]

    def make(pool: Pool) -> Scaler:
        triggers = [
            Trigger(pool.waiting, told["waitingPerServer"]),
            Trigger(pool.requests, told["requestsPerServer"]),
        ]
        if least == 0:
            triggers.append(Trigger(pool.nodes, told["requestsPerServer"]))
        return Scaler(
            triggers,
            least,
            most,
            polling_s=told["pollingSeconds"],
            cooldown_s=told["cooldownSeconds"],
            replicas=least,
        )

    return make


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--tree", default="long-16384", help="of bench/trees.json")
    parser.add_argument("--trees", type=int, default=60, help="of one burst")
    parser.add_argument("--bursts", type=int, default=3)
    parser.add_argument("--every-s", type=float, default=3_600.0, help="between two bursts")
    parser.add_argument("--most", type=int, default=8, help="servers")
    parser.add_argument("--start-s", type=float, default=START_S, help="of a server")
    parser.add_argument("--out", type=Path, help="the results as JSON")
    options = parser.parse_args()
    shape = read()[options.tree]
    speed = Speed(start_s=options.start_s)
    arrivals = [
        (burst * options.every_s, shape)
        for burst in range(options.bursts)
        for _ in range(options.trees)
    ]
    prompts = sum(turn.prompt_tokens for turns in shape.values() for turn in turns)
    print(f"{options.bursts} bursts of {options.trees} trees: {options.tree}, {len(shape)} nodes,")
    print(f"{sum(map(len, shape.values()))} calls, {prompts} tokens of prompts each. {speed}")
    ways: dict[str, Callable[[Pool], Scaler] | int] = {
        "1 always": 1,
        f"{options.most} always": options.most,
        f"KEDA, 1 to {options.most}": chart_scaler(1, options.most),
        f"KEDA, 0 to {options.most}": chart_scaler(0, options.most),
    }
    results = {}
    print(
        f"{'servers':<16}{'queue mean':>11}{'p95':>8}{'tree p50':>10}{'p95':>8}{'most':>6}", end=""
    )
    print(f"{'GPU hours':>11}{'busy':>7}")
    for name, scaler in ways.items():
        one = simulate(arrivals, speed, scaler)
        results[name] = {field: getattr(one, field) for field in Outcome.__slots__}
        print(
            f"{name:<16}{one.queue_mean_s:>9.0f} s{one.queue_p95_s:>6.0f} s{one.tree_p50_s:>8.0f} s"
            f"{one.tree_p95_s:>6.0f} s{one.most_servers:>6}{one.gpu_hours:>11.1f}"
            f"{one.busy_share:>6.0%}"
        )
    if options.out:
        options.out.write_text(json.dumps(results, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
