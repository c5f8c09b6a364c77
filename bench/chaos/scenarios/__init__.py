"""One scenario a file; the names under which they are called."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bench.chaos.house import House
from bench.chaos.report import Report, Size
from bench.chaos.scenarios import (
    clock_jump,
    engine_answers,
    engine_killed,
    messages,
    network,
    rolling_restart,
    service_killed,
    store_full,
    store_killed,
    worker_stopped,
    workers_killed,
)

Scenario = Callable[[House, Size], Report]

SCENARIOS: Mapping[str, Scenario] = {
    "workers-killed": workers_killed.run,
    "service-killed": service_killed.run,
    "store-killed": store_killed.run,
    "worker-stopped": worker_stopped.run,
    "engine-killed": engine_killed.run,
    "messages": messages.run,
    "network": network.run,
    "engine-answers": engine_answers.run,
    "store-full": store_full.run,
    "rolling-restart": rolling_restart.run,
    "clock-jump": clock_jump.run,
}
