"""Celery's messages doubled, in reverse order, and lost at random, one after another.

A message is a hint, so the answers and the effects must be the same as without.
"""

from __future__ import annotations

import random

from bench.chaos.house import WAIT_S, House
from bench.chaos.report import Report, Size
from bench.chaos.scenarios.worker_stopped import num_expired

TREES = 4
SHARE_LOST = 0.05


def run(house: House, size: Size) -> Report:
    """All three kinds of mischief, each over as many trees."""
    report = Report("messages", size.seed)
    house.mischief.chance = random.Random(size.seed)  # noqa: S311 - which is lost is no secret
    planned, expired, calls = 0, 0, house.calls()
    for name, doubles, reverses, loses in (
        ("doubled", True, False, 0.0),
        ("reversed", False, True, 0.0),
        ("lost", False, False, SHARE_LOST),
    ):
        mischief = house.mischief
        mischief.num_messages = mischief.num_lost = 0
        mischief.doubles, mischief.reverses, mischief.loses = doubles, reverses, loses
        forest = house.forest(size, TREES)
        forest.harvest(WAIT_S)
        mischief.doubles, mischief.reverses, mischief.loses = False, False, 0.0
        part = Report(name, size.seed)
        forest.judge(part)
        part.figures |= {"messages": mischief.num_messages, "lost messages": mischief.num_lost}
        part.checks["messages went through it"] = mischief.num_messages > 0
        report.figures |= {f"{name}: {what}": figure for what, figure in part.figures.items()}
        report.checks |= {f"{name}: {what}": held for what, held in part.checks.items()}
        planned += len(forest.trees) * forest.shape.num_calls
        expired += sum(num_expired(tree) for tree in forest.trees)
    extra = house.calls() - calls - planned
    report.figures |= {"extra calls": extra, "leases that ran out": expired}
    report.checks["no extra call but for a lease that ran out"] = extra <= expired
    return report
