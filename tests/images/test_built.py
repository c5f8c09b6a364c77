"""The images as they were built: what they hold, and what they may do."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.test_extras import IMPORTED
from tests.deploy.test_images import TARGETS
from tests.images import inside
from tests.images.containers import HARDENED, Containers

SCRIPT = Path(inside.__file__).read_text(encoding="utf-8")
ADDS_MB = {"service": 250, "worker": 200, "trainer": 2_500}
"""The most that a program may add to its base."""
ENTERED = (*HARDENED, "--entrypoint=[]")
"""So that a command is run in the place of what the image runs."""
OF_TORCH = ("training.update", "training.trainer", "torch", "trl", "peft", "transformers")


def seen(containers: Containers, image: str, python: str, *modules: str) -> dict[str, Any]:
    """What is seen inside, once `modules` are imported."""
    done = containers.run(image, python, "-P", "-c", SCRIPT, *modules, options=ENTERED)
    assert done.code == 0, done.told
    found: dict[str, Any] = json.loads(done.out.splitlines()[-1])
    return found


@pytest.fixture(scope="session")
def inner(containers: Containers, images: Mapping[str, str]) -> Mapping[str, dict[str, Any]]:
    """What is seen inside of each image, by target; `torch` is the trainer's other environment."""
    found = {
        target: seen(containers, images[target], "python", *IMPORTED[target]) for target in TARGETS
    }
    python = "/opt/training/bin/python"
    return {**found, "torch": seen(containers, images["trainer"], python, *OF_TORCH)}


@pytest.mark.parametrize("target", TARGETS)
def test_it_runs_as_a_user_without_rights(inner: Mapping[str, dict[str, Any]], target: str) -> None:
    assert inner[target]["user"] == [10001, 0]
    assert set(inner[target]["capabilities"]) == {"0" * 16}


@pytest.mark.parametrize("target", TARGETS)
def test_it_writes_nowhere_but_where_its_volumes_are(
    inner: Mapping[str, dict[str, Any]], target: str
) -> None:
    assert inner[target]["writable"] == ["/tmp", "/var/lib/banyan"]  # noqa: S108


@pytest.mark.parametrize("target", TARGETS)
def test_its_programs_are_not_its_users_even_where_the_root_is_writable(
    containers: Containers, images: Mapping[str, str], target: str
) -> None:
    script = "import os, sys; print(os.access(sys.prefix, os.W_OK), os.access('/usr', os.W_OK))"
    done = containers.run(
        images[target], "python", "-c", script, options=("--cap-drop=all", "--entrypoint=[]")
    )
    assert done.out.split() == ["False", "False"], done.told


@pytest.mark.parametrize("target", [*TARGETS, "torch"])
def test_nothing_can_be_built_or_installed_in_it(
    inner: Mapping[str, dict[str, Any]], target: str
) -> None:
    assert inner[target]["tools"] == []
    assert inner[target]["sources"] == []
    assert set(inner[target]["modules"]) <= ({"setuptools"} if target == "torch" else set())


@pytest.mark.parametrize("target", [*TARGETS, "torch"])
def test_its_list_is_of_what_is_in_it(inner: Mapping[str, dict[str, Any]], target: str) -> None:
    assert len(inner[target]["listed"]) > 30
    assert inner[target]["listed"] == inner[target]["installed"]


@pytest.mark.parametrize(
    ("target", "command"),
    [
        ("service", ("python", "-P", "-m", "service", "--help")),
        ("service", ("banyan", "--help")),
        ("worker", ("python", "-P", "-m", "workers", "--help")),
        ("trainer", ()),
        ("trainer", ("update", "--help")),
    ],
)
def test_its_programs_say_what_they_are_for(
    containers: Containers, images: Mapping[str, str], target: str, command: tuple[str, ...]
) -> None:
    done = containers.run(images[target], *command)
    assert done.code == 0, done.told
    assert "usage" in done.out.lower()


def test_arguments_that_a_program_does_not_have_are_refused(
    containers: Containers, images: Mapping[str, str]
) -> None:
    done = containers.run(images["worker"], "python", "-P", "-m", "workers", "--slots=4")
    assert done.code == 2
    assert (
        "BANYAN_" in containers.run(images["worker"], "python", "-P", "-m", "workers", "--help").out
    )


@pytest.mark.parametrize("target", TARGETS)
def test_it_says_how_it_is_run(
    containers: Containers, images: Mapping[str, str], target: str
) -> None:
    config = containers.inspect(images[target])["Config"]
    assert config["User"] == "10001:0"
    assert [*config["Volumes"]] == ["/var/lib/banyan"]
    assert config["WorkingDir"] == "/var/lib/banyan"
    assert config.get("ExposedPorts", {}) == ({"8080/tcp": {}} if target == "service" else {})
    check = containers.inspect(images[target]).get("Healthcheck", {"Test": ["NONE"]})
    assert check["Test"][0] == ("NONE" if target == "trainer" else "CMD")


@pytest.mark.parametrize("target", TARGETS)
def test_it_is_not_much_larger_than_its_base(
    containers: Containers, images: Mapping[str, str], base: str, target: str
) -> None:
    size, of_base = (containers.inspect(one)["Size"] for one in (images[target], base))
    added_mb = (size - of_base) / 1e6
    sys.stdout.write(f"{target}: {size / 1e6:.0f} MB, {added_mb:.0f} MB of it above its base\n")
    assert added_mb < ADDS_MB[target]
