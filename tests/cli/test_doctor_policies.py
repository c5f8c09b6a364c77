"""The doctor tells of each policy that the operator lists."""

from __future__ import annotations

from pathlib import Path

from banyan.local.check import Check
from banyan.local.policy_checks import check_policies
from banyan.local.ports import LOOPBACK
from banyan.settings import Settings
from tests.cli.commands import banyan
from tests.policies.fakes import PRICES, two_fakes, write


def by_name(path: Path) -> dict[str, Check]:
    return {check.name: check for check in check_policies(Settings(policies=path))}


def test_each_policy_is_shown_with_its_prices_and_whether_its_server_answers(
    tmp_path: Path,
) -> None:
    away = {"engine": {"kind": "vllm", "urls": [f"http://{LOOPBACK}:9"], "model": "m"}}
    with two_fakes(tmp_path) as (large, _):
        policies = {
            "large": large.entry(),
            "away": {**away, "prices": PRICES["small"]},
            "here": {},
        }
        found = by_name(write(tmp_path / "policies.json", policies))
    assert found["policy large"].state == "ok"
    assert found["policy large"].detail == (
        f"live, 0.6 / 0.06 / 2.4 USD a million tokens, openai, fake-large at {large.url}"
    )
    assert found["policy away"].state == "note"
    assert f"no model server answers at http://{LOOPBACK}:9" in found["policy away"].detail
    assert "0.051 / 0.051 / 0.2 USD" in found["policy away"].detail
    assert found["policy away"].how
    assert (found["policy here"].state, found["policy here"].detail[:4]) == ("ok", "free")


def test_a_file_that_is_wrong_is_missing(tmp_path: Path) -> None:
    path = write(tmp_path / "policies.json", {"large": {}}, live="small")
    done = banyan("doctor", env={"BANYAN_POLICIES": str(path)})
    assert done.returncode == 3
    [line] = [line for line in done.stdout.splitlines() if line.startswith("missing")]
    assert "live: small is none of large" in line


def test_without_a_file_nothing_is_said() -> None:
    assert check_policies(Settings()) == []
