"""Bad input and missing parts: one clear sentence, what to do, an exit code, nothing left."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from banyan.local.ports import LOOPBACK, free_port
from tests.cli.commands import banyan

NOBODY = f"http://{LOOPBACK}:9"


def test_help_names_the_commands_and_the_exit_codes() -> None:
    result = banyan("--help")
    assert result.returncode == 0
    for word in ("up", "solve", "doctor", "Exit codes: 0 ok"):
        assert word in result.stdout


def test_without_a_command_the_help_is_shown() -> None:
    result = banyan()
    assert result.returncode == 2
    assert "Usage: banyan" in result.stdout + result.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["up", "--engine", "abacus"], "'abacus'"),
        (["up", "--engine", "openai"], "--engine-url"),
        (["up", "--port", "70000"], "--port"),
        (["up", "--workers", "0"], "--workers"),
        (["up", "--window", "100"], "--window"),
        (["solve"], "Missing argument 'GOAL'"),
        (["solve", "why", "--file", "no-such-file"], "no-such-file is not a file"),
        (["solve", "why", "no-such-file"], "no-such-file is not a file"),
        (["solve", "why", "--max-depth", "33"], "--max-depth"),
        (["solve", "why", "--deadline", "0"], "--deadline"),
        (["solve", "why", "--gate", "perhaps"], "'perhaps'"),
        (["solve", "why", "--state", "telepathy"], "'telepathy'"),
        (["solve", "why", "--schema", "no-such-file"], "--schema"),
        (["frobnicate"], "frobnicate"),
    ],
)
def test_wrong_usage_is_named_and_exits_with_2(arguments: list[str], says: str) -> None:
    result = banyan(*arguments)
    assert result.returncode == 2
    assert says in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("content", ["{", "[1]", ""])
def test_a_schema_that_is_no_json_object_is_refused(tmp_path: Path, content: str) -> None:
    schema = tmp_path / "schema.json"
    schema.write_text(content)
    result = banyan("solve", "why", "--schema", str(schema), "--url", NOBODY)
    assert result.returncode == 2
    assert "is not" in result.stderr


def test_solve_without_a_service_says_how_to_start_one() -> None:
    result = banyan("solve", "why", "--url", NOBODY)
    assert result.returncode == 3
    assert f"no answer from {NOBODY}" in result.stderr
    assert "banyan up" in result.stderr
    assert result.stdout == ""


def test_solve_without_a_service_says_so_as_json_too() -> None:
    result = banyan("solve", "why", "--url", NOBODY, "--json")
    assert result.returncode == 3
    assert json.loads(result.stdout)["code"] == "service_unreachable"


def test_up_refuses_a_port_that_is_taken_before_it_starts_anything() -> None:
    with socket.create_server((LOOPBACK, 0)) as server:
        port = server.getsockname()[1]
        result = banyan("up", "--port", str(port))
    assert result.returncode == 4
    assert f"port {port} is taken" in result.stderr
    assert "--port" in result.stderr
    assert result.stdout == ""


def test_up_does_not_take_another_redis_than_the_one_that_is_named() -> None:
    url = f"redis://user:secret@{LOOPBACK}:9/0"
    result = banyan("up", "--port", str(free_port()), env={"REDIS_URL": url})
    assert result.returncode == 3
    assert f"no Redis or Valkey answers at REDIS_URL=redis://{LOOPBACK}:9/0" in result.stderr
    assert "secret" not in result.stderr
    assert "unset REDIS_URL" in result.stderr


def test_up_says_that_a_named_engine_does_not_answer() -> None:
    result = banyan("up", "--engine", "openai", "--engine-url", NOBODY, "--port", str(free_port()))
    assert result.returncode == 3
    assert f"no model server answers at {NOBODY}" in result.stderr


def test_up_says_that_the_model_is_not_there(tmp_path: Path) -> None:
    text = tmp_path / "model.gguf"
    text.write_text("not a model")
    for model in ("no/such.gguf", str(text), str(tmp_path)):
        result = banyan("up", "--model", model, "--port", str(free_port()))
        assert result.returncode == 3
        assert f"{model} is no GGUF file" in result.stderr


def test_up_says_that_the_engine_environment_is_not_there(tmp_path: Path) -> None:
    result = banyan(
        *("up", "--engine", "vllm", "--port", str(free_port())),
        env={"XDG_CACHE_HOME": str(tmp_path)},
    )
    assert result.returncode == 3
    assert "vLLM's environment is not installed" in result.stderr
    assert "--install-engine" in result.stderr


def test_up_tells_errors_as_json_too() -> None:
    result = banyan("up", "--port", str(free_port()), "--model", "no/such.gguf", "--json")
    assert result.returncode == 3
    said = json.loads(result.stdout)
    assert said["event"] == "error"
    assert said["code"] == "missing"


def test_up_cannot_keep_data_in_a_place_that_is_no_folder(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    below = file / "data"
    result = banyan("up", "--port", str(free_port()), "--data-dir", str(below))
    assert result.returncode == 4
    assert f"{below} cannot be made" in result.stderr
