"""`banyan policies` against a real service: what it prints, and how it exits."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from service.settings import ServiceSettings
from tests.cli.commands import banyan
from tests.service.house import House
from tests.service.served import Served, serve
from tests.swap.makers import directory, rewards


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    house = House(ServiceSettings(policy_dir=tmp_path))
    async with house.http, serve(house) as served:
        yield served


async def policies(served: Served, *arguments: str) -> subprocess.CompletedProcess[str]:
    return await asyncio.to_thread(banyan, "policies", *arguments, env={"BANYAN_URL": served.url})


async def test_publishing_promoting_and_taking_back(served: Served, tmp_path: Path) -> None:
    empty = await policies(served, "list")
    assert (empty.returncode, "No versions" in empty.stdout) == (0, True)
    directory(tmp_path / "run")

    published = await policies(served, "publish", "run")
    assert (published.returncode, published.stdout) == (0, "policy-v1 is verified\n")
    promoted = await policies(served, "promote", "policy-v1", "--wait", "0")
    assert promoted.returncode == 5  # no worker is there that could load it
    listed = await policies(served, "list")
    assert "base: base is live, policy-v1 is being loaded" in listed.stdout
    assert "verified" in listed.stdout
    back = await policies(served, "rollback", "policy-v1", "--json")
    assert (back.returncode, json.loads(back.stdout)["state"]) == (0, "verified")
    rejected = await policies(served, "reject", "policy-v1", "--reason", "rude")
    assert rejected.stdout == "policy-v1 is rejected: rude\n"
    shown = await policies(served, "show", "policy-v1", "--json")
    assert json.loads(shown.stdout)["manifest"]["threshold"] == 1.5
    as_json = await policies(served, "list", "--json")
    assert json.loads(as_json.stdout)["versions"][0]["reasons"] == ["rude"]


async def test_what_is_rejected_or_refused_has_an_exit_code_of_its_own(
    served: Served, tmp_path: Path
) -> None:
    worse = {"candidate": rewards(0.1), "live": rewards(0.6)}
    directory(tmp_path / "worse", evaluation={"set_name": "s", "live_version": "base", **worse})
    rejected = await policies(served, "publish", "worse")
    assert rejected.returncode == 6
    assert "not shown to be non-inferior" in rejected.stdout

    outside = await policies(served, "publish", "../worse", "--json")
    assert (outside.returncode, json.loads(outside.stdout)["code"]) == (2, "invalid_input")
    missing = await policies(served, "promote", "policy-v9")
    assert missing.returncode == 2
    assert "there is no version policy-v9" in missing.stderr


def test_without_a_service_it_says_so_and_every_command_has_help() -> None:
    result = banyan("policies", "list", "--url", "http://127.0.0.1:9")
    assert result.returncode == 3
    assert "no answer from http://127.0.0.1:9" in result.stderr
    for command in ("list", "show", "publish", "promote", "rollback", "reject"):
        assert banyan("policies", command, "--help").returncode == 0
