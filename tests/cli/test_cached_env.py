"""Environments that are made once from a lock file, without the network."""

from __future__ import annotations

from pathlib import Path

import pytest

from banyan.local.cached_env import CachedEnvironmentError
from tests.fixtures.environments import MAKES_A_VENV, env_in, python_in, uv_in


def test_the_environments_name_follows_the_lock_file(tmp_path: Path) -> None:
    env = env_in(tmp_path)
    before = env.folder(tmp_path)
    env.lock_file.write_text("a==2\n")

    assert env.folder(tmp_path) != before


def test_an_environment_that_is_named_is_used(tmp_path: Path) -> None:
    python = python_in(tmp_path / "mine")

    assert env_in(tmp_path).find({"SOME_VENV": str(tmp_path / "mine")}) == python


def test_a_named_folder_without_python_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CachedEnvironmentError, match="bin/python"):
        env_in(tmp_path).find({"SOME_VENV": str(tmp_path)})


def test_an_environment_that_was_never_made_is_not_found(tmp_path: Path) -> None:
    assert env_in(tmp_path).find({}, cache=tmp_path) is None


def test_an_environment_is_made_once(tmp_path: Path) -> None:
    said: list[str] = []
    env, uv = env_in(tmp_path), uv_in(tmp_path, MAKES_A_VENV)

    made = env.ensure(said.append, {}, cache=tmp_path / "c", uv=uv)
    again = env.ensure(said.append, {}, cache=tmp_path / "c", uv=uv)

    assert made == again == env.find({}, cache=tmp_path / "c")
    assert len(said) == 2


def test_a_build_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    script = "if sys.argv[1] == 'venv': sys.exit(0)\nprint('no matching distribution'); sys.exit(1)"
    env, cache, uv = env_in(tmp_path), tmp_path / "c", uv_in(tmp_path, script)

    with pytest.raises(CachedEnvironmentError, match="no matching distribution"):
        env.ensure(lambda _: None, {}, cache=cache, uv=uv)

    assert env.find({}, cache=cache) is None
    assert [path.suffix for path in cache.iterdir()] == [".lock"]


def test_torch_comes_from_the_folder_of_wheels_or_from_its_cpu_index(tmp_path: Path) -> None:
    env, python = env_in(tmp_path), tmp_path / "python"

    local = env.sync_arguments("uv", python, {"PIP_FIND_LINKS": "/wheels /more"})
    remote = env.sync_arguments("uv", python, {})

    assert local[-4:] == ["--find-links", "/wheels", "--find-links", "/more"]
    assert remote[-2:] == ["--torch-backend", "cpu"]
    assert "--require-hashes" in local
    assert "--require-hashes" in remote


def test_torch_is_taken_as_it_is_where_it_is_no_cpu_build(tmp_path: Path) -> None:
    env = env_in(tmp_path, cpu_torch=False)
    command = env.sync_arguments("uv", tmp_path, {"PIP_FIND_LINKS": "/wheels"})
    assert command[-2:] == ["--require-hashes", str(env.lock_file)]
