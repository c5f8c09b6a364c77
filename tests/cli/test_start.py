"""What the command line imports: nothing that is slow, before it is needed."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
import typer

from banyan.client.main import Commands

SLOW = (
    *("pydantic", "httpx", "rich", "asyncio", "zstandard", "redis", "celery", "fastapi"),
    *("banyan.client.sdk", "banyan.client.results", "banyan.evaluation", "banyan.local"),
    *("numpy", "matplotlib", "torch"),
)
PROGRAM = """
import json, sys
from banyan.client.main import app
sys.argv = ["banyan", *json.loads(sys.argv[1])]
try:
    app()
except SystemExit as end:
    assert not end.code, end.code
sys.stderr.write(json.dumps(sorted(sys.modules)))
"""


def imported(*arguments: str) -> set[str]:
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", PROGRAM, json.dumps(arguments)],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(json.loads(done.stderr))


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_and_version_import_nothing_that_is_slow(option: str) -> None:
    assert imported(option) & set(SLOW) == set()


def test_help_of_a_command_imports_no_program() -> None:
    assert imported("solve", "--help") & {"banyan.local", "banyan.evaluation", "redis"} == set()


def test_the_sdk_is_imported_when_it_is_asked_for() -> None:
    code = "import sys, banyan; assert 'httpx' not in sys.modules; from banyan import Client"
    subprocess.run([sys.executable, "-c", code], check=True)  # noqa: S603 - our own program


@pytest.mark.parametrize("name", list(Commands.table))
def test_every_command_is_listed_with_its_own_help(name: str) -> None:
    lazy = Commands.table[name]
    command = lazy.load(name)

    assert isinstance(command, typer.core.TyperCommand | typer.core.TyperGroup)
    assert (command.help or "").partition("\n\n")[0].replace("\n", " ") == lazy.help
