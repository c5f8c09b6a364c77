"""The images of the three programs, built once a session."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from banyan.local.cached_env import cache_dir
from tests.deploy.test_images import TARGETS
from tests.images import stand_in
from tests.images.containers import Containers


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--base",
        default="stand-in",
        help="what images stand on: `stand-in` (of Debian's packages), or an image that is pulled",
    )


@pytest.fixture(scope="session")
def containers() -> Containers:
    return Containers.of(cache_dir() / "images")


@pytest.fixture(scope="session")
def base(containers: Containers, request: pytest.FixtureRequest) -> str:
    """The image that all others stand on."""
    wanted = str(request.config.getoption("--base"))
    if wanted == "stand-in":
        return stand_in.make(containers)
    pulled = containers.podman("pull", wanted)
    assert pulled.code == 0, pulled.told
    return wanted


@pytest.fixture(scope="session")
def images(containers: Containers, base: str) -> Mapping[str, str]:
    """Their names, by target."""
    links = os.environ.get("PIP_FIND_LINKS", "").split()
    where = {"TORCH_LINKS": " ".join(f"--find-links {link}" for link in links)} if links else {}
    return {
        target: containers.build(target, base, where if target == "trainer" else {})
        for target in TARGETS
    }


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder for what programs share, which their user may write into."""
    folder = tmp_path / "data"
    folder.mkdir()
    os.chown(folder, 10001, 0)
    return folder
