"""SIGKILL Valkey while trees grow, and start it again on its append-only file.

The oracle: no acknowledged solve is lost, and calls to the model server go on soon afterwards,
without anyone starting the workers or the service again.
"""

from __future__ import annotations

import time

from bench.chaos.house import WAIT_S, House, moments
from bench.chaos.report import Report, Size

TREES = 8
KILLS = 5
AWAY_S = 2.0


def run(house: House, size: Size) -> Report:
    """Kill the store `faults` times, each time for AWAY_S seconds."""
    kills = size.faults or KILLS
    report = Report("store-killed", size.seed)
    processes = {house.stack.service.pid, *(worker.pid for worker in house.stack.workers)}
    before = house.calls()
    forest = house.forest(size, TREES)
    planned = len(forest.trees) * forest.shape.num_calls
    idle_s = []
    for moment in moments(size.seed, kills, planned * 3 // 4):
        house.wait_calls(before + moment)
        house.stack.valkey.kill()
        time.sleep(AWAY_S)
        house.stack.valkey.start()
        answers_at, calls = time.monotonic(), house.calls()
        house.wait_calls(calls + 1)
        idle_s.append(time.monotonic() - answers_at)
    forest.harvest(WAIT_S)
    forest.judge(report)
    report.figures |= {
        "kills": kills,
        "longest until the next model call, s": round(max(idle_s), 1),
        "extra calls": house.calls() - before - planned,
    }
    alive = {house.stack.service.pid, *(worker.pid for worker in house.stack.workers)}
    report.checks["nobody had to be started again"] = alive == processes and all(
        child.returncode() is None for child in [house.stack.service, *house.stack.workers]
    )
    return report
