"""The trajectory log of real workers, on real Valkey and Celery, killed while they work."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from banyan.errors import InvalidInput
from bench.stack import Stack, wait_until
from tests.workers.test_workers import ALWAYS, limits
from training.dataset import survey
from training.eligibility import Rules
from training.records import read_trees
from workers.trajectories import load_redaction

WRITTEN_S = 60.0
HIDE = "tests.workers.hiding:hide"


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with httpx.Client(timeout=130.0, trust_env=False) as client:
        yield client


def files(root: Path) -> list[Path]:
    return sorted(root.glob("trees/*/*.jsonl.zst"))


def test_killed_workers_leave_one_whole_record_a_node(client: httpx.Client, tmp_path: Path) -> None:
    """Two workers die in the middle of the tree, and one right after its root has finished."""
    stack = Stack(
        latency_s=0.1,
        num_workers=2,
        slots=16,
        lease_s=2.0,
        settings={"BANYAN_TRAJECTORY_DIR": str(tmp_path)},
    )
    with stack:
        tree_id = stack.submit(client, "fan-out 4", gate=ALWAYS, limits=limits(3))
        for num_calls in (30, 70):
            wait_until(lambda n=num_calls: stack.engine_stats(client)["calls"] >= n, 120.0)
            stack.kill(stack.workers[0])
            stack.start_worker()
        solve = stack.wait(client, tree_id)
        stack.kill(stack.workers[0])
        wait_until(lambda: files(tmp_path), WRITTEN_S)
        calls = stack.engine_stats(client)["calls"]
    [file] = files(tmp_path)
    [tree] = read_trees(file)
    found = survey(tmp_path, Rules())
    turns = sum(len(node.turns) for node in tree.nodes)
    assert solve["status"] == "completed"
    assert len(tree.nodes) == len({node.node_id for node in tree.nodes}) == 85
    assert turns == 2 * 85 - 4**3
    assert turns <= calls <= turns + 2 * 16
    assert (found.damage, found.reasons) == ([], {"not_sampled": 1})
    assert (
        sum(node.usage.completion_tokens for node in tree.nodes)
        == (solve["usage"]["completion_tokens"])
    )


def test_a_tree_that_ended_while_no_writer_ran_is_written_later(
    client: httpx.Client, tmp_path: Path
) -> None:
    """The cancel comes from the service; no worker is there until it is over."""
    settings = {"BANYAN_TRAJECTORY_DIR": str(tmp_path), "BANYAN_REDACTION": HIDE}
    with Stack(num_workers=0, slots=4, settings=settings) as stack:
        tree_id = stack.submit(client, "A secret goal.")
        client.post(f"{stack.url}/solve/{tree_id}/cancel").raise_for_status()
        client.post(f"{stack.url}/solve/{tree_id}/feedback", json={"value": 0.5}).raise_for_status()
        assert files(tmp_path) == []
        stack.start_worker()
        wait_until(lambda: files(tmp_path), WRITTEN_S)
    [tree] = read_trees(files(tmp_path)[0])
    found = survey(tmp_path, Rules())
    assert [(node.node_id, node.goal, node.turns) for node in tree.nodes] == [("0", "hidden", ())]
    assert found.reasons == {"incomplete": 1}
    assert found.verdicts.latest[tree_id, "0"].value == 0.5


def test_redaction_is_loaded_by_its_name() -> None:
    assert load_redaction(HIDE).__name__ == "hide"


@pytest.mark.parametrize(
    "path",
    [
        "nowhere:hide",
        "tests.workers.hiding:seek",
        "tests.workers.hiding",
        "",
        "json:JSONDecodeError.x",
    ],
)
def test_a_redaction_that_is_not_there_is_named(path: str) -> None:
    with pytest.raises(InvalidInput, match="BANYAN_REDACTION"):
        load_redaction(path)
