"""What a network does to a connection, on every line between two parts, one after another.

Each kind of weather stands for STORM_S seconds in the middle of a tree; connections that it has
silenced stay so. The oracle: the tree is whole and right, within the timeouts that are stated.
"""

from __future__ import annotations

import random
import time

from bench.chaos.house import WAIT_S, House
from bench.chaos.proxy import STORMS
from bench.chaos.report import Report, Size

STORM_S = 3.0


def run(house: House, size: Size) -> Report:
    """Every kind of weather on every line; `faults`: so many of these alone."""
    report = Report("network", size.seed)
    cases = [(line, storm) for line in house.lines for storm in STORMS]
    if size.faults is not None:
        chance = random.Random(size.seed)  # noqa: S311 - which are tried is no secret
        cases = chance.sample(cases, size.faults)
    slowest_s = 0.0
    for name, storm in cases:
        line, part = house.lines[name], Report(f"{name}, {storm}", size.seed)
        harmed, before = line.num_harmed, house.calls()
        forest = house.forest(size, 1)
        forest.follow(house.url)
        house.wait_calls(before + forest.shape.num_calls // 4)
        line.weather = storm
        time.sleep(STORM_S)
        line.weather = "clear"
        cleared_at = time.monotonic()
        forest.harvest(WAIT_S)
        forest.stop_following(WAIT_S)
        slowest_s = max(slowest_s, time.monotonic() - cleared_at)
        forest.judge(part)
        part.checks["no gap and no repeat in the stream"] = forest.num_wrong_in_streams == 0
        report.figures[f"{name}, {storm}"] = (
            f"{line.num_harmed - harmed} connections harmed, {house.calls() - before} calls, "
            f"whole {time.monotonic() - cleared_at:.1f} s after it"
        )
        report.checks[f"{name}, {storm}"] = part.holds
    report.figures["longest until the tree was whole, s"] = round(slowest_s, 1)
    return report
