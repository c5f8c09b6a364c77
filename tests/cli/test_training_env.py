"""How a command that needs torch comes into the environment that has it."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from banyan.local import training_env
from banyan.local.training_env import TrainingEnvironmentError
from tests.fixtures.environments import python_in


class Executed:
    """Records what would replace this process."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, list[str], dict[str, str]]] = []

    def __call__(self, path: str, argv: Sequence[str], env: Mapping[str, str]) -> None:
        self.calls.append((path, list(argv), dict(env)))


@pytest.fixture
def executed() -> Executed:
    return Executed()


def names(lock: Path) -> set[str]:
    lines = lock.read_text(encoding="utf-8").splitlines()
    return {line.partition("==")[0] for line in lines if "==" in line and line[0] not in " #"}


def test_a_python_with_torch_goes_on_as_it_is(executed: Executed) -> None:
    training_env.enter(["run"], {}, execute=executed, has_torch=True)
    assert not executed.calls


def test_a_python_without_torch_becomes_the_trainers(tmp_path: Path, executed: Executed) -> None:
    python = python_in(tmp_path / "trainer")
    environ = {"BANYAN_TRAINING_VENV": str(tmp_path / "trainer")}

    training_env.enter(["run", "--seed", "1"], environ, execute=executed, has_torch=False)

    [(path, argv, env)] = executed.calls
    assert path == str(python)
    assert argv[1:] == ["-P", "-m", "training", "run", "--seed", "1"]
    assert env["PYTHONPATH"]


def test_a_missing_environment_is_an_error_that_says_how_to_make_it(
    tmp_path: Path, executed: Executed
) -> None:
    with pytest.raises(TrainingEnvironmentError) as caught:
        training_env.enter(["run"], {}, cache=tmp_path, execute=executed, has_torch=False)
    assert "make train-setup" in caught.value.hint
    assert not executed.calls


def test_an_environment_without_torch_is_not_entered_again_and_again(executed: Executed) -> None:
    environ = {"BANYAN_TRAINING_VENV": sys.prefix}
    with pytest.raises(TrainingEnvironmentError, match="no torch"):
        training_env.enter(["run"], environ, execute=executed, has_torch=False)
    assert not executed.calls


def test_torch_is_in_the_trainers_lock_and_not_in_the_services() -> None:
    service = training_env.LOCK.with_name("service.lock")
    wanted = {"torch", "transformers", "trl", "peft", "accelerate", "safetensors", "numpy"}
    assert wanted <= names(training_env.LOCK)
    assert names(service).isdisjoint({"torch", "transformers", "trl"})
    assert "numpy" in names(service)
