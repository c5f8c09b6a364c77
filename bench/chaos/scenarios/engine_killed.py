"""SIGKILL model servers while trees grow: one of the replicas, then all of them at once.

A replica that is away is left alone and its calls are made on others; where none is left, calls
wait until one is back. No tree may fail.
"""

from __future__ import annotations

import random
import time

from bench.chaos.house import WAIT_S, House
from bench.chaos.report import Report, Size
from bench.stack import wait_until

TREES = 4
KILLS = 6
NUM_ENGINES = 3
AWAY_S = 2.0


def run(house: House, size: Size) -> Report:
    """Kill `faults` model servers one by one, then all of them."""
    kills = size.faults or KILLS
    chance = random.Random(size.seed)  # noqa: S311 - which server dies is no secret
    report = Report("engine-killed", size.seed)
    forest = house.forest(size, TREES)
    engines = dict(zip(house.stack.engine_urls, house.stack.engines, strict=True))
    dead = 0
    for _ in range(kills):
        url = chance.choice(house.stack.engine_urls)
        _wait_busy(house)
        house.stack.kill(engines[url])
        time.sleep(AWAY_S)
        engines[url] = house.stack.start_engine(url)
        dead += 1
        house.wait_engines()
    _wait_busy(house)
    for engine in engines.values():
        house.stack.kill(engine)
        dead += 1
    time.sleep(AWAY_S)
    for url in engines:
        house.stack.start_engine(url)
    house.wait_engines()
    forest.harvest(WAIT_S)
    forest.judge(report)
    report.figures |= {"kills": dead, "replicas": len(engines)}
    return report


def _wait_busy(house: House) -> None:
    wait_until(lambda: house.stack.engine_stats(house.client)["in_flight"] > 0, WAIT_S)
