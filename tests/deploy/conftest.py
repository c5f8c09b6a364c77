"""The chart, rendered once a session with every row of the matrix."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests.deploy.helm import Manifest, Tools, render, tools
from tests.deploy.matrix import CASES


@pytest.fixture(scope="session")
def used() -> Tools:
    return tools()


@pytest.fixture(scope="session")
def rendered(used: Tools) -> Mapping[str, list[Manifest]]:
    """What helm makes, by the name of the case."""
    return {case.name: render(used, case.values, case.presets) for case in CASES}
