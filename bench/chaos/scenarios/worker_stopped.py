"""Stop a worker (SIGSTOP) until its leases have run out, then let it go on (SIGCONT).

It comes back with nodes that others own by now. Every write of it must be refused: between the end
of a lease and the next claim nothing happens to a node, and what happens once happens once.
"""

from __future__ import annotations

import signal
import time

from bench.chaos.forest import Tree
from bench.chaos.house import WAIT_S, House, moments
from bench.chaos.report import Report, Size

TREES = 4
STOPS = 5
_EXPIRED = "lease_expired"


def run(house: House, size: Size) -> Report:
    """Stop one of the workers `faults` times."""
    stops = size.faults or STOPS
    report = Report("worker-stopped", size.seed)
    before = house.calls()
    forest = house.forest(size, TREES)
    planned = len(forest.trees) * forest.shape.num_calls
    for index, moment in enumerate(moments(size.seed, stops, planned * 3 // 4)):
        house.wait_calls(before + moment)
        worker = house.stack.workers[index % len(house.stack.workers)]
        worker.process.send_signal(signal.SIGSTOP)
        time.sleep(1.5 * house.lease_s)
        worker.process.send_signal(signal.SIGCONT)
    forest.harvest(WAIT_S)
    forest.judge(report)
    expired = sum(num_expired(tree) for tree in forest.trees)
    report.figures |= {"stops": stops, "leases that ran out": expired}
    report.checks["leases ran out"] = expired > 0
    return report


def num_expired(tree: Tree) -> int:
    """Leases of a tree that ran out."""
    return sum(event.data.get("reason") == _EXPIRED for event in tree.events)
