"""SIGKILL the service while clients stream: they resume without gap or repeat.

What it has acknowledged is submitted again with the same key, which must find the same solve.
"""

from __future__ import annotations

from bench.chaos.house import WAIT_S, House, moments
from bench.chaos.report import Report, Size

TREES = 4
KILLS = 10


def run(house: House, size: Size) -> Report:
    """Kill the service `faults` times while every tree is followed by a client."""
    kills = size.faults or KILLS
    report = Report("service-killed", size.seed)
    forest = house.forest(size, TREES)
    before = house.calls()
    forest.follow(house.url)
    down_s = 0.0
    planned = len(forest.trees) * forest.shape.num_calls
    for moment in moments(size.seed, kills, planned // 2):
        house.wait_calls(before + moment)
        house.stack.kill(house.stack.service)
        house.stack.start_service()
        down_s = max(down_s, house.wait_ready())
    keys = [f"kept-{size.seed}-{index}" for index in range(kills)]
    kept = _survivors(house, forest.shape.depth, keys)
    forest.harvest(WAIT_S)
    forest.stop_following(WAIT_S)
    forest.judge(report)
    report.figures |= {
        "kills": kills,
        "events streamed": sum(len(one.seqs) for one in forest.followers),
        "gaps and repeats in streams": forest.num_wrong_in_streams,
        "longest time to be ready again, s": round(down_s, 1),
        "acknowledged right before a kill": len(keys),
        "of these found again": kept,
    }
    report.checks |= {
        "no gap and no repeat, up to the result": forest.num_wrong_in_streams == 0,
        "what was acknowledged is there": kept == len(keys),
    }
    return report


def _survivors(house: House, depth: int, keys: list[str]) -> int:
    """Kill the service right behind its acknowledgements; how many are found again as they were."""
    body = {"goal": "Say it.", "limits": {"max_depth": depth}}
    url, asynchronous = f"{house.stack.url}/solve", {"Prefer": "respond-async"}
    ids = {}
    for key in keys:
        headers = {**asynchronous, "Idempotency-Key": key}
        ids[key] = house.client.post(url, json=body, headers=headers).json()["id"]
    house.stack.kill(house.stack.service)
    house.stack.start_service()
    house.wait_ready()
    found = 0
    for key, solve_id in ids.items():
        headers = {"Idempotency-Key": key, "Prefer": "wait=60"}
        again = house.client.post(url, json=body, headers=headers, timeout=90.0).json()
        found += again["id"] == solve_id and again["status"] == "completed"
    return found
