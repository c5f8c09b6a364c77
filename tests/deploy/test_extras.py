"""An image holds what its program imports: the extras ask for it, and not just the tests' own."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import packages_distributions, requires

import pytest
from packaging.requirements import Requirement

from banyan.local import programs
from tests.deploy.image_steps import DOCKERFILE, stages

_IMPORT = """
import importlib, sys

class Elsewhere:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in absent:
            raise ModuleNotFoundError(f"{name} is not in the image", name=name)

absent, names = set(sys.argv[1].split(",")), sys.argv[2:]
sys.meta_path.insert(0, Elsewhere())
for name in names:
    importlib.import_module(name)
"""
"""Imports modules where those that come with other distributions are not to be had."""

IMPORTED = {
    "service": ("service.__main__", "kombu.transport.redis", "banyan.client.main"),
    "worker": ("workers.__main__", "kombu.transport.redis"),
    "trainer": ("training.main", "training.online.command"),
}
"""With what is imported later: a broker's transport, commands."""


def installed(extras: set[str]) -> set[str]:
    """Distributions that come with `banyan-serve[extras]`, in the form of their canonical names."""
    found: set[str] = set()
    waiting = [("banyan-serve", frozenset(extras))]
    seen = set(waiting)
    while waiting:
        name, wanted = waiting.pop()
        found.add(canonical(name))
        for line in requires(name) or []:
            asked = Requirement(line)
            environments = [{"extra": extra} for extra in (*wanted, "")]
            if asked.marker and not any(asked.marker.evaluate(one) for one in environments):
                continue
            item = (asked.name, frozenset(asked.extras))
            if item not in seen:
                seen.add(item)
                waiting.append(item)
    return found


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.parametrize("target", sorted(IMPORTED))
def test_what_a_program_imports_is_in_its_image(target: str) -> None:
    runs = "\n".join(
        step.rest for step in stages(DOCKERFILE.read_text("utf-8"))[f"build-{target}"].steps
    )
    [extras] = re.findall(r"service\.lock '\.\[([a-z,]+)\]'", runs)
    there = installed(set(extras.split(",")))
    absent = [
        module
        for module, names in packages_distributions().items()
        if not {canonical(name) for name in names} & there
    ]
    assert len(absent) > 50, "the tests' own environment has much more"
    done = subprocess.run(  # noqa: S603  # our own command line, no shell
        [sys.executable, "-P", "-c", _IMPORT, ",".join(absent), *IMPORTED[target]],
        env=programs.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
