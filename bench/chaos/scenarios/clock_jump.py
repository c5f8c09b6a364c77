"""The clock of one worker jumps by an hour, forwards and backwards, while trees grow.

The worker runs under libfaketime, which reads the shift from a file; its monotonic clock stays.
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from bench.chaos.forest import num_claims
from bench.chaos.house import WAIT_S, House
from bench.chaos.report import Report, Size
from bench.chaos.scenarios.worker_stopped import num_expired

TREES = 4
JUMPS = ("+3600s", "-3600s", "+0s")


def run(house: House, size: Size) -> Report:
    """One of the workers is replaced by one whose clock jumps, in both directions in turn."""
    report = Report("clock-jump", size.seed)
    shift = house.stack.folder / "shift"
    shift.write_text("+0s")
    house.stack.terminate(house.stack.workers[0])
    worker = house.stack.start_worker(shifted_by(shift))
    house.wait_working(worker)
    before = house.calls()
    forest = house.forest(size, TREES)
    planned = len(forest.trees) * forest.shape.num_calls
    for index, jump in enumerate(JUMPS, start=1):
        house.wait_calls(before + index * planned // (len(JUMPS) + 2))
        shift.write_text(jump)
    forest.harvest(WAIT_S)
    forest.judge(report)
    house.stack.terminate(worker)
    house.stack.start_worker()
    expired = sum(num_expired(tree) for tree in forest.trees)
    extra = house.calls() - before - planned
    report.figures |= {
        "jumps": len(JUMPS),
        "extra calls": extra,
        "leases that ran out": expired,
        "nodes that it ran": sum(num_claims(tree, worker.pid) for tree in forest.trees),
    }
    report.checks |= {
        # On a quiet machine none runs out; a worker that gets no processor loses some, jump or not.
        "no extra call but for a lease that ran out": extra <= expired,
        "the worker took part": int(report.figures["nodes that it ran"]) > 0,
    }
    return report


def shifted_by(file: Path) -> dict[str, str]:
    """Variables under which a process reads how far its clock is off from `file`."""
    folder = Path(str(resources.files("libfaketime"))) / "vendor" / "libfaketime" / "src"
    return {
        "LD_PRELOAD": str(folder / "libfaketime.so.1"),
        "FAKETIME_TIMESTAMP_FILE": str(file),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "DONT_FAKE_MONOTONIC": "1",
    }
