"""Rollouts on real engines: samples that differ, with tokens and numbers that a trainer can use."""

from __future__ import annotations

from pathlib import Path

from banyan.adapters.memory_library import MemoryLibrary
from banyan.adapters.memory_store import MemoryStore
from banyan.adapters.memory_trajectories import MemoryTrajectoryQueue
from banyan.adapters.trajectory_folder import TrajectoryFolder
from banyan.adapters.trajectory_writer import TrajectoryWriter
from banyan.in_process import grow
from banyan.limits import Limits
from banyan.ports import Engine, Ports
from banyan.task import Gate, Task
from training.dataset import files_of, survey
from training.eligibility import Rules
from training.records import read_trees

TASK = Task(
    tenant="acme",
    goal="Name an animal.",
    limits=Limits(max_depth=0, max_nodes=1, max_tokens=8_000, max_answer_tokens=24),
    profile="rollout",
    group_id="animals",
    gate=Gate(mode="sampled"),
)
NUM_TREES = 2


async def test_rollouts_of_one_task_differ_and_lack_success_alone(
    real_engine: Engine, tmp_path: Path
) -> None:
    store = MemoryStore(logs=True)
    ports = Ports(store, MemoryLibrary(), real_engine)
    for _ in range(NUM_TREES):
        await grow(TASK, ports)
    writer = TrajectoryWriter(MemoryTrajectoryQueue(store), TrajectoryFolder(tmp_path))
    while await writer.write_due():
        pass
    found = survey(tmp_path, Rules())
    trees = [tree for file in files_of(tmp_path) for tree in read_trees(file)]
    turns = [turn for tree in trees for node in tree.nodes for turn in node.turns]
    kind = (await real_engine.abilities()).logprobs

    assert (found.damage, found.reasons) == ([], {"no_success": NUM_TREES})
    assert len({turn.completion_token_ids for turn in turns}) > 1
    assert {turn.sampling.temperature for turn in turns} == {1.0}
    for turn in turns:
        assert turn.logprobs_kind == kind
        forced = [
            logprob
            for logprob, mask in zip(turn.logprobs or (), turn.action_token_mask or (), strict=True)
            if not mask
        ]
        # A reply under a schema begins with tokens to which the grammar leaves no other.
        assert bool(forced) == (kind == "masked")
        assert all(logprob > -1e-6 for logprob in forced)
