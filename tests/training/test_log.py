"""What the log holds of a tree, and that it holds each tree once."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from banyan.adapters.memory_trajectories import MemoryTrajectoryQueue
from banyan.adapters.trajectory_folder import TrajectoryFolder
from banyan.adapters.trajectory_writer import TrajectoryWriter
from banyan.budget import Budget
from banyan.errors import StoreFull
from banyan.feedback import Feedback
from banyan.in_process import grow
from banyan.logged import choice_probability, token_mask
from banyan.node import parent_path
from banyan.policy import BASE, Policies
from banyan.ports import Abilities, FinishedTree, StoredNode, Taken
from banyan.state import unpack
from banyan.task import Gate, Task
from banyan.testing import ScriptedEngine
from banyan.trajectory import LoggedNode, TurnRecord
from tests.full_disk import full_disk
from tests.growing import Grower, sentences
from tests.packed import as_version_1
from tests.training.logs import NOW, Log, read_zst


async def test_a_tree_leaves_one_file_with_one_record_a_node(tmp_path: Path) -> None:
    log = Log(tmp_path)
    tree = await log.grow("Summarise it.", sentences(2_000))
    [file] = log.files()
    nodes = log.nodes()
    assert file.name == f"{tree.id}.g1.jsonl.zst"
    assert file.parent.name == "19700112"
    assert {node.node_id for node in nodes} == set(await log.grower.paths(tree.id))
    assert len(nodes) == tree.usage.nodes > 2
    for node in nodes:
        assert node.tree_id == tree.id
        assert node.parent_id == parent_path(node.node_id)
        assert (node.tree.num_nodes, node.tree.status) == (tree.usage.nodes, "completed")
        assert node.outcome is not None
        assert (node.outcome.status, node.success, node.dropped) == ("ok", None, None)


async def test_a_record_holds_the_tokens_that_the_engine_sampled(tmp_path: Path) -> None:
    log = Log(tmp_path)
    tree = await log.grow("Summarise it.", sentences(2_000))
    for node in log.nodes():
        turns = await log.grower.turns(tree.id, node.node_id)
        assert [turn.completion_token_ids for turn in turns] == [
            turn.completion_token_ids for turn in node.turns
        ]
        for logged, turn in zip(node.turns, turns, strict=True):
            assert logged.prompt_token_ids == turn.prompt_token_ids
            assert logged.logprobs == turn.logprobs
            assert logged.choice.prompt_token_ids == turn.choice_prompt_token_ids
            assert logged.choice.logprobs == turn.decision.logprobs
            assert logged.action == turn.action
            assert logged.sampling.temperature == 0.0
            assert logged.action_token_mask == (0,) * len(turn.completion_token_ids or ())
        assert node.usage.completion_tokens == sum(turn.completion_tokens for turn in turns)


async def test_a_rollout_is_sampled_with_a_seed_of_its_own_a_call(tmp_path: Path) -> None:
    log = Log(tmp_path)
    await log.group("g", size=3)
    turns = [turn for node in log.nodes() for turn in node.turns]
    drawn = [call for call in log.grower.engine.calls if call.kind == "complete"]
    assert len({turn.sampling.seed for turn in turns}) == len(turns) == len(drawn) >= 3
    for turn in turns:
        assert (turn.sampling.temperature, turn.sampling.top_p) == (1.0, 1.0)
        assert turn.sampling.frequency_penalty == 0.0
        assert turn.action_token_mask == (1,) * len(turn.completion_token_ids or ())
        assert turn.choice.logprobs is not None
        assert turn.choice.kind is not None
        assert turn.choice.probability == choice_probability(turn.choice.logprobs, turn.choice.kind)
    assert {node.group_id for node in log.nodes()} == {"g"}


async def test_a_served_solve_stays_greedy_and_its_choice_is_no_sample(tmp_path: Path) -> None:
    log = Log(tmp_path)
    await log.grow(text=sentences(30), gate=Gate(mode="sampled"))
    await log.grow(text=sentences(30))
    by_mode = {node.gate.mode: node for node in log.nodes() if node.gate}
    assert by_mode["sampled"].turns[0].sampling.temperature == 0.0
    assert by_mode["threshold"].turns[0].choice.probability is None
    assert by_mode["threshold"].gate is not None
    assert by_mode["threshold"].gate.score is not None


class OlderQueue(MemoryTrajectoryQueue):
    """Turns as an older release has packed them."""

    async def nodes(self, tree_id: str, *, offset: int, limit: int) -> tuple[StoredNode, ...]:
        found = await super().nodes(tree_id, offset=offset, limit=limit)
        return tuple(
            replace(node, turns=tuple(as_version_1(unpack(one, TurnRecord)) for one in node.turns))
            for node in found
        )


async def test_turns_that_an_older_release_stored_are_logged_alike(tmp_path: Path) -> None:
    logs = [Log(tmp_path / name) for name in ("now", "older")]
    logs[1].writer = TrajectoryWriter(OlderQueue(logs[1].grower.store), logs[1].folder)
    for log in logs:
        await log.grow("Summarise it.", sentences(2_000))

    now, older = ([node.turns for node in log.nodes()] for log in logs)
    assert older == now
    assert now[0][0].prompt_token_ids


def test_probabilities_of_a_choice_are_normalised_over_the_kinds() -> None:
    logprobs = {"answer": -3.0, "delegate": -4.0, "read": -9.0}
    assert sum(choice_probability(logprobs, kind) for kind in logprobs) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("kind", "temperature", "mask"),
    [
        ("raw", 1.0, (1, 1, 1)),
        ("masked", 1.0, (1, 0, 1)),  # the grammar left no other second token
        ("raw", 0.0, (0, 0, 0)),
        ("masked", 0.0, (0, 0, 0)),
    ],
)
def test_the_mask_is_on_tokens_that_the_policy_drew(
    kind: str, temperature: float, mask: tuple[int, ...]
) -> None:
    turn = {
        "completion_token_ids": [7, 8, 9],
        "logprobs": [-0.5, 0.0, -2.0],
        "logprobs_kind": kind,
        "temperature": temperature,
    }
    assert token_mask(turn) == mask
    assert token_mask({**turn, "completion_token_ids": None}) is None


async def test_an_engine_that_tells_no_token_ids_leaves_none(tmp_path: Path) -> None:
    log = Log(tmp_path, grower=Grower(engine=ScriptedEngine(token_ids=False), logs=True))
    await log.grow(text=sentences(30))
    [node] = log.nodes()
    assert node.turns[0].completion_token_ids is None
    assert node.turns[0].action_token_mask is None


async def test_writing_again_gives_the_same_file_and_no_second_one(tmp_path: Path) -> None:
    log = Log(tmp_path)
    tree = await log.grow("Summarise it.", sentences(500))
    [before] = [file.read_bytes() for file in log.files()]
    log.grower.store.forest.unlogged[tree.id, 1] = 0.0  # as if the acknowledgement had been lost
    await log.write()
    assert [file.read_bytes() for file in log.files()] == [before]
    assert await log.writer.write_due() == 0


async def test_a_tree_that_is_being_written_is_hidden_from_other_writers(tmp_path: Path) -> None:
    log = Log(tmp_path)
    await log.grower.grow("Which one?", sentences(30))
    taken = await log.queue.take(lease_s=60.0, limit=10)
    assert len(taken.trees) == 1
    assert (await log.queue.take(lease_s=60.0, limit=10)).trees == ()
    log.grower.now += 61.0
    assert await log.queue.take(lease_s=60.0, limit=10) == taken


async def test_a_tree_that_was_opened_again_is_logged_as_it_ends(tmp_path: Path) -> None:
    def broken(*_: object) -> str:
        return "no JSON"

    grower = Grower(engine=ScriptedEngine(rule=broken), now=NOW, logs=True)
    log = Log(tmp_path, grower=grower)
    tree = await grower.grow("Which one?", sentences(30))
    assert tree.status == "failed"
    grower.engine.rule = ScriptedEngine().rule
    resumed = await grower.store.resume(
        tree.id, extra=Budget(tokens=100_000, nodes=10), deadline_s=600.0
    )
    await log.write()
    assert log.files() == []
    task_of = grower.store.forest.tree(tree.id).admission.task
    ended = await grow(unpack(task_of, Task), grower.ports, resumed=(tree.id, resumed[1]))
    await log.write()
    [node] = log.nodes()
    assert ended.status == "completed"
    assert node.tree.generation == 2
    assert [turn.generation for turn in node.turns] == [1, 1, 1, 2]


async def test_what_nobody_takes_is_forgotten_with_its_tree_and_counted() -> None:
    grower = Grower(now=NOW, logs=True)
    queue = MemoryTrajectoryQueue(grower.store)
    for _ in range(3):
        await grower.grow("Which one?", sentences(30))
    grower.now += 8 * 86_400.0
    await grower.grow("Which one?", sentences(30))
    taken = await queue.take(lease_s=60.0, limit=10)
    assert (len(taken.trees), taken.num_lost) == (1, 3)
    assert (await queue.take(lease_s=60.0, limit=10)) == Taken((), 0)


async def test_a_store_that_does_not_log_queues_nothing() -> None:
    grower = Grower()
    await grower.grow("Which one?", sentences(30))
    assert await MemoryTrajectoryQueue(grower.store).take(lease_s=1.0, limit=9) == Taken((), 0)


async def test_a_tree_that_expires_while_it_waits_is_counted_as_lost(tmp_path: Path) -> None:
    log = Log(tmp_path)
    tree = await log.grower.grow("Which one?", sentences(30))
    del log.grower.store.forest.trees[tree.id]
    await log.write()
    assert log.files() == []
    assert log.writer.counts == {"lost": 1}
    assert log.grower.store.forest.unlogged == {}


async def test_what_a_newer_worker_has_packed_is_left_to_it(tmp_path: Path) -> None:
    log = Log(tmp_path)
    tree = await log.grower.grow("Which one?", sentences(30))
    root = log.grower.store.forest.tree(tree.id).nodes["0"]
    packed = root.packed
    root.packed = packed[:4] + b"\xff" + packed[5:]
    await log.write()
    assert (log.files(), log.writer.counts) == ([], {})
    root.packed = packed
    log.grower.now += 121.0
    await log.write()
    assert [node.tree_id for node in log.nodes()] == [tree.id]


async def test_an_opted_out_task_leaves_its_place_and_nothing_else(tmp_path: Path) -> None:
    log = Log(tmp_path)
    await log.grow("A secret goal.", sentences(2_000), train=False)
    [node] = log.nodes()
    [file] = log.files()
    assert (node.node_id, node.dropped, node.tree.num_nodes) == ("0", "opted_out", 1)
    assert (node.turns, node.outcome) == ((), None)
    assert b"secret" not in read_zst(file)


def hide(node: LoggedNode) -> LoggedNode | None:
    """Keep roots without their goal, and drop all others."""
    if node.parent_id is not None:
        return None
    return msgspec.structs.replace(node, goal="hidden")


def fail(node: LoggedNode) -> LoggedNode | None:
    raise RuntimeError(f"cannot read {node.goal}")


def move(node: LoggedNode) -> LoggedNode | None:
    return msgspec.structs.replace(node, node_id="0.9")


async def test_the_operators_function_decides_what_is_kept(tmp_path: Path) -> None:
    log = Log(tmp_path, redact=hide)
    tree = await log.grow("A secret goal.", sentences(2_000))
    root, *others = log.nodes()
    assert (root.goal, root.dropped) == ("hidden", None)
    assert {node.dropped for node in others} == {"redacted"}
    assert log.writer.counts["redacted"] == len(others) == tree.usage.nodes - 1


@pytest.mark.parametrize("redact", [fail, move])
async def test_where_redaction_fails_nothing_is_kept(tmp_path: Path, redact: object) -> None:
    log = Log(tmp_path, redact=redact)  # type: ignore[arg-type]  # pytest's parameters are objects
    await log.grow("A secret goal.", sentences(30))
    [node] = log.nodes()
    assert node.dropped == "redaction_failed"
    assert log.writer.counts["redaction_failed"] == 1
    assert b"secret" not in read_zst(log.files()[0])


async def test_old_days_are_removed_and_young_ones_stay(tmp_path: Path) -> None:
    log = Log(tmp_path)
    await log.group("g", size=1)
    log.grower.now += 20 * 86_400.0
    young = (await log.group("g", size=1))[0]
    log.say(young, 0.5, at=log.grower.now)
    now = log.grower.now + 60.0
    assert await asyncio.to_thread(log.folder.remove_old, 30.0, now=now) == 0
    assert await asyncio.to_thread(log.folder.remove_old, 10.0, now=now) == 2
    assert [node.tree_id for node in log.nodes()] == [young.id]
    assert [path.name for path in (tmp_path / "feedback").iterdir()] == ["19700201.jsonl"]


async def test_a_writer_that_dies_before_the_acknowledgement_leaves_the_tree(
    tmp_path: Path,
) -> None:
    log = Log(tmp_path)
    tree = await log.grower.grow("Which one?", sentences(30))

    class Dies(MemoryTrajectoryQueue):
        async def acknowledge(self, tree: FinishedTree) -> None:
            raise ConnectionError(tree.tree_id)

    with pytest.raises(ConnectionError):
        await TrajectoryWriter(Dies(log.grower.store), log.folder, lease_s=5.0).write_due()
    assert [node.tree_id for node in log.nodes()] == [tree.id]
    log.grower.now += 6.0
    await log.write()
    assert [node.tree_id for node in log.nodes()] == [tree.id]
    assert log.grower.store.forest.unlogged == {}


async def test_it_says_whether_numbers_are_of_the_distribution_that_was_drawn_from(
    tmp_path: Path,
) -> None:
    """vLLM masks under a schema alone; plain answers are written without one."""
    plain = BASE.model_copy(update={"version": "plain", "json_answers": False, "cites": False})
    served = Policies([BASE, plain], live=BASE.version)
    grower = Grower(engine=MaskingEngine(), policies=served, now=NOW, logs=True)
    log = Log(tmp_path, grower=grower)
    await log.grow(text=sentences(30))
    await log.grow(text=sentences(30), policy=plain.version)
    turns = [turn for node in log.nodes() for turn in node.turns]
    assert {(turn.policy_version, turn.grammar, turn.logprobs_kind) for turn in turns} == {
        ("base", True, "masked"),
        ("plain", False, "raw"),
    }


class MaskingEngine(ScriptedEngine):
    """Log-probabilities are masked under a schema, as vLLM has it."""

    async def abilities(self) -> Abilities:
        return replace(await super().abilities(), logprobs="masked")


def test_feedback_that_a_full_disk_does_not_take_is_refused_and_spoils_no_other(
    tmp_path: Path,
) -> None:
    folder = TrajectoryFolder(tmp_path)
    said = Feedback(
        tree_id="solve_1", node_id="0", value=1.0, source="user", comment=None, key="k", at=NOW
    )
    folder.append(said)
    [file] = tmp_path.glob("feedback/*.jsonl")
    size = file.stat().st_size
    for room_bytes in (size, size + 10):
        with full_disk(room_bytes), pytest.raises(StoreFull):
            folder.append(said)
    folder.append(said)

    whole = [line for line in file.read_bytes().splitlines() if line.endswith(b"}")]
    assert [msgspec.json.decode(line, type=Feedback) for line in whole] == [said, said]
