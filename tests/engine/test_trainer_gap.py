"""The trainer computes what the engine computed: fresh samples of real vLLM, from the real log."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from pathlib import Path

import pytest

from banyan import in_process
from banyan.adapters.memory_library import MemoryLibrary
from banyan.adapters.memory_store import MemoryStore
from banyan.adapters.memory_trajectories import MemoryTrajectoryQueue
from banyan.adapters.trajectory_folder import TrajectoryFolder
from banyan.adapters.trajectory_writer import TrajectoryWriter
from banyan.admission import admission
from banyan.drive import Ports, drive
from banyan.feedback import Feedback
from banyan.limits import Limits
from banyan.local import engine_env, programs, training_env, weights
from banyan.policy import BASE
from banyan.ports import Engine
from banyan.settings import Settings
from banyan.task import Gate, Task
from banyan.tree import tree_id
from tests.engine.conftest import OpenEngine, quiet
from tests.fixtures.engines import ServedEngine
from tests.growing import TENANT, Grower, sentences

PLAIN = BASE.model_copy(update={"json_answers": False, "cites": False})
"""Its answers are written without a grammar, so that their tokens train."""
MAX_GAP = 0.1
"""Nats a token: what publishing allows by default (RAO section 4). vLLM computes in bfloat16."""


@pytest.mark.real_engine
async def test_trainer_and_vllm_agree_on_tokens_and_choices(
    vllm: ServedEngine, open_engine: OpenEngine, tmp_path: Path
) -> None:
    if training_env.training_env().find() is None:
        pytest.skip("the trainer's environment has not been made: make train-setup")
    engine = open_engine(Settings(engine_kind=vllm.kind, engine_urls=vllm.url))
    log = tmp_path / "log"
    await write_rollouts(log, engine)
    model = weights.ensure_hf(weights.find_gguf(), engine_env.ensure(quiet), quiet)
    done = subprocess.run(  # noqa: S603, ASYNC221 - our own command line; nothing else runs
        programs.command(
            "training",
            *("update", str(log), "--model", str(model), "--out", str(tmp_path / "v1")),
            *("--lora", "4", "--micro-tokens", "1024", "--json"),
        ),
        env=programs.environment({"OMP_NUM_THREADS": "1"}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads(done.stdout)
    sys.stdout.write(
        f"gap {result['logprob_gap']:.4f} nats over {result['tokens']} tokens and "
        f"{result['choices']} choices\n"
    )
    assert result["tokens"] > 10
    assert result["choices"] == 2
    assert result["logprob_gap"] < MAX_GAP


async def write_rollouts(log: Path, engine: Engine) -> None:
    """Two trees of one group: the kind was drawn, and it was to answer in plain text."""
    store, library, folder = MemoryStore(logs=True), MemoryLibrary(), TrajectoryFolder(log)
    draws = itertools.count(1)  # near 0 is always the first kind, but another seed each time
    ports = Ports(store, library, engine, draw=lambda: next(draws) * 1e-4)
    text = await Grower(library=library).put(sentences(12))
    task = Task(
        tenant=TENANT,
        goal="What is this about?",
        inputs=(text,),
        limits=Limits(max_depth=2, max_nodes=20, max_tokens=20_000, max_answer_tokens=24),
        profile="rollout",
        group_id="gap",
        gate=Gate(mode="sampled"),
    )
    for success in (0.0, 1.0):
        new_id = tree_id(TENANT, f"tree {success}", num_shards=1)
        _, hints = await store.admit(admission(task, new_id))
        [claimed] = await in_process._claim(hints, ports)
        assert await drive(claimed, task, PLAIN, ports) == []
        folder.append(
            Feedback(
                tree_id=new_id,
                node_id="0",
                value=success,
                source="verifier",
                comment=None,
                key=new_id,
                at=1.0,
            )
        )
    writer = TrajectoryWriter(MemoryTrajectoryQueue(store), folder)
    while await writer.write_due():
        pass
