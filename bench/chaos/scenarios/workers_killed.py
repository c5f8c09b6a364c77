"""SIGKILL workers at random moments while trees grow, and count what it cost.

The oracle: no tree is lost, every answer is right, every effect happened once, and there were at
most as many extra calls as slots that died.
"""

from __future__ import annotations

import random
import time

from bench.chaos.house import NUM_WORKERS, SLOTS, WAIT_S, House, moments
from bench.chaos.report import Report, Size

TREES = 20
KILLS = 100


def run(house: House, size: Size) -> Report:
    """Kill `faults` workers, one after another, at moments spread over all calls."""
    kills = size.faults or KILLS
    chance = random.Random(size.seed)  # noqa: S311 - which worker dies is no secret
    report = Report("workers-killed", size.seed)
    began, before = time.monotonic(), house.calls()
    forest = house.forest(size, TREES)
    planned = len(forest.trees) * forest.shape.num_calls
    for moment in moments(size.seed, kills, planned):
        house.wait_calls(before + moment)
        house.stack.kill(chance.choice(house.stack.workers))
        house.stack.start_worker()
    forest.harvest(WAIT_S)
    report.figures["wall s"] = round(time.monotonic() - began, 1)
    extra = house.calls() - before - planned
    forest.judge(report)
    most_extra = kills * SLOTS // NUM_WORKERS
    report.figures |= {"kills": kills, "extra calls": extra, "most extra calls": most_extra}
    report.checks["at most slots x kills extra calls"] = 0 <= extra <= most_extra
    return report
