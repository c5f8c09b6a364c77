"""The chaos scenarios in short, in one house: counts and outcomes, and no times.

`python -m bench.chaos` runs the same functions at full size.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bench.chaos.house import House
from bench.chaos.report import Size
from bench.chaos.scenarios import SCENARIOS

LEASE_S = 6.0

SHORT = {
    "workers-killed": Size(trees=2, faults=2, depth=3),
    "service-killed": Size(trees=1, faults=1, depth=3),
    "store-killed": Size(trees=1, faults=1, depth=3),
    "worker-stopped": Size(trees=1, faults=1, depth=3),
    "engine-killed": Size(trees=1, faults=1, depth=3),
    "messages": Size(trees=1, depth=2),
    "network": Size(faults=4, depth=2),
    "engine-answers": Size(trees=1, faults=1, depth=3),
    "store-full": Size(trees=1, depth=3),
    "rolling-restart": Size(trees=1, faults=1),
    "clock-jump": Size(trees=1, depth=3),
}


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    """All parts, with proxies between them; every scenario leaves it whole."""
    with House(lease_s=LEASE_S) as house:
        yield house


def test_every_scenario_has_a_short_form() -> None:
    assert SHORT.keys() == SCENARIOS.keys()


@pytest.mark.parametrize("name", SCENARIOS)
def test_what_a_scenario_promises_holds(name: str, house: House) -> None:
    report = SCENARIOS[name](house, SHORT[name])

    assert report.broken == []
    assert report.checks
