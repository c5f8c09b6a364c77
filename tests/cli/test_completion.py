"""Completion in the shells themselves, as a person has it who has installed it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.cli import shells
from tests.debian import FISH, ZSH, Package
from tests.not_run import needed

SHELLS: Mapping[str, Package] = {"bash": Package("bash", ("bash",)), "zsh": ZSH, "fish": FISH}


@pytest.fixture(scope="module", params=SHELLS)
def shell(request: pytest.FixtureRequest) -> Path:
    return needed(SHELLS[request.param])


@pytest.fixture(scope="module")
def home(shell: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which that shell was told to complete."""
    home = tmp_path_factory.mktemp(shell.name)
    shells.install(shell, home)
    return home


@pytest.mark.parametrize(
    ("line", "whole"),
    [
        pytest.param("banyan ca", "banyan cancel", id="command"),
        pytest.param("banyan solve --fo", "banyan solve --follow", id="option"),
        pytest.param("banyan keys cr", "banyan keys create", id="command of a group"),
        pytest.param("banyan list --status can", "banyan list --status cancelled", id="value"),
    ],
)
def test_a_new_shell_completes(shell: Path, home: Path, line: str, whole: str) -> None:
    assert shells.completed(shell, home, line) == whole
