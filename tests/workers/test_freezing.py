"""What workers and the service have at their start is kept out of garbage collections."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from banyan.local.processes import Child
from bench.stack import Stack

AT_EXIT = """
import atexit, gc, os

def tell():
    with open(os.path.join(os.environ["TOLD"], str(os.getpid())), "w") as file:
        file.write(f"{gc.get_freeze_count()} {len(gc.get_objects())}")

atexit.register(tell)
"""
"""The interpreter imports it before the program, as `sitecustomize`; its last words are these."""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[int, int]]:
    """Of each program that was started and ended: objects that were frozen, and others."""
    folder = tmp_path_factory.mktemp("told")
    (folder / "sitecustomize.py").write_text(AT_EXIT, encoding="utf-8")
    settings = {"PYTHONPATH": str(folder), "TOLD": str(folder)}
    with (
        Stack(num_workers=1, settings=settings) as stack,
        httpx.Client(timeout=130.0, trust_env=False) as client,
    ):
        stack.wait(client, stack.submit(client, "Why?"))
        programs: dict[str, Child] = {"worker": stack.workers[0], "service": stack.service}
        for child in programs.values():
            assert stack.terminate(child) == 0
    return {name: numbers(folder / str(child.process.pid)) for name, child in programs.items()}


def numbers(path: Path) -> tuple[int, int]:
    frozen, others = path.read_text(encoding="utf-8").split()
    return int(frozen), int(others)


@pytest.mark.parametrize("program", ["service", "worker"])
def test_most_of_what_a_program_has_is_frozen(
    told: dict[str, tuple[int, int]], program: str
) -> None:
    frozen, others = told[program]

    assert frozen > others
