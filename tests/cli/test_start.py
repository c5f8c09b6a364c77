"""What each program imports: nothing slow before it is needed, and nothing of another's."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
import typer

from banyan.client.main import Commands
from banyan.local.programs import environment

SLOW = (
    *("pydantic", "httpx", "rich", "asyncio", "zstandard", "redis", "celery", "fastapi"),
    *("banyan.client.sdk", "banyan.client.results", "banyan.evaluation", "banyan.local"),
    *("numpy", "matplotlib", "torch"),
)
ARRAYS = ("numpy", "matplotlib", "torch", "transformers", "pandas")
LOCAL = ("banyan.local.up", "banyan.evaluation", "typer", "xllamacpp", "gguf")
CLIENT_NEVER = (
    *("celery", "redis", "fastapi", "uvicorn", "aiohttp", "msgspec", "structlog"),
    *("banyan.adapters", *ARRAYS, *LOCAL),  # httpx takes rich and zstandard where they are
)
SERVICE_NEVER = (
    *("workers", "training", "aiohttp", *ARRAYS, *LOCAL),
    *("jwt", "cryptography.x509"),  # until tokens of an issuer are taken
    *("lxml", "pypdfium2"),  # in the process that reads documents
    *("opentelemetry.sdk.trace", "opentelemetry.exporter"),  # until traces are sent
    *("celery", "dateutil"),  # hints need kombu alone
    *("jsonschema", "referencing"),  # until an answer has a schema
    *("httpx", "httpcore"),  # until a listed model server is asked whether it is up
    *("charset_normalizer", "obstore", "banyan.adapters.policy_file"),
)
WORKER_NEVER = (
    *("service", "training", "fastapi", "starlette", "uvicorn", "httpx", "jwt", *ARRAYS, *LOCAL),
    *("lxml", "pypdfium2", "banyan.client.sdk"),
    *("opentelemetry.sdk.trace", "opentelemetry.exporter"),
    *("jsonschema", "referencing"),  # until an answer has a schema
    *("httpcore", "obstore"),  # until there is a webhook to call, or a bucket
)
MOST_MODULES = {"service": 1_120, "workers": 1_090}
"""What was seen and a twentieth: a library more costs its start 30 to 100 ms."""
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


def modules_of(code: str) -> set[str]:
    """The modules that it has imported at its end."""
    done = subprocess.run(  # noqa: S603 - our own program
        [
            sys.executable,
            "-P",
            "-c",
            f"import json, sys\n{code}\nprint(json.dumps([*sys.modules]))",
        ],
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    return set(json.loads(done.stdout))


@pytest.mark.parametrize(
    ("code", "others"),
    [
        ("from banyan import Client", CLIENT_NEVER),
        ("import service.main", SERVICE_NEVER),
        ("import workers.main", WORKER_NEVER),
    ],
)
def test_a_program_imports_nothing_of_anothers(code: str, others: tuple[str, ...]) -> None:
    assert modules_of(code) & set(others) == set()


@pytest.mark.parametrize(("program", "most"), MOST_MODULES.items())
def test_a_program_imports_no_more_modules_than_it_did(program: str, most: int) -> None:
    assert len(modules_of(f"import {program}.main")) <= most


@pytest.mark.parametrize("program", MOST_MODULES)
def test_garbage_is_collected_again_once_a_program_is_imported(program: str) -> None:
    code = f"from {program}.__main__ import load; load(); import gc; assert gc.isenabled()"
    assert f"{program}.main" in modules_of(code)


@pytest.mark.parametrize("name", list(Commands.table))
def test_every_command_is_listed_with_its_own_help(name: str) -> None:
    lazy = Commands.table[name]
    command = lazy.load(name)

    assert isinstance(command, typer.core.TyperCommand | typer.core.TyperGroup)
    assert (command.help or "").partition("\n\n")[0].replace("\n", " ") == lazy.help
