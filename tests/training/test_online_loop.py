"""The loop on a service in memory: what it trains on, what the gate says, what a kill leaves."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.fixtures.waiting import until
from tests.training.online_house import PLAN, OnlineHouse, told
from training.dataset import survey
from training.eligibility import Rules
from training.online import publishing
from training.online.command import begun
from training.online.errors import NotMeasured, OtherPlan
from training.online.loop import Loop
from training.online.plan import Plan
from training.online.rollouts import groups_of
from training.online.state import RunFolder


@pytest.fixture
async def online(tmp_path: Path) -> AsyncIterator[OnlineHouse]:
    async with OnlineHouse(tmp_path) as house:
        yield house


async def looped(online: OnlineHouse, root: Path, plan: Plan = PLAN, *, turns: int = 1) -> Loop:
    """A run of so many turns."""
    site, folder = online.site(), RunFolder(root / "run")
    loop = Loop(site, folder, await begun(site, plan, folder), told)
    await loop.run(turns)
    return loop


async def test_a_better_version_goes_live_and_the_next_update_begins_at_it(
    online: OnlineHouse, tmp_path: Path
) -> None:
    online.trainer.skills = [0.6, 1.0]
    state = (await looped(online, tmp_path, turns=2)).state
    first, second = state.iterations
    assert (first.version, first.verdict, first.parent) == ("policy-v1", "live", "base")
    assert (second.version, second.verdict, second.parent) == ("policy-v2", "live", "policy-v1")
    assert first.measured.low > 0
    assert second.measured.candidate == 1.0
    assert state.lives == ("base", "policy-v1", "policy-v2")
    parents = [wanted.parent_folder for wanted in online.trainer.asked]
    assert parents == [None, online.policies / "policy-v1"]
    assert await publishing.live_version(online.registry, "base") == "policy-v2"


async def test_a_worse_version_is_rejected_and_thrown_away(
    online: OnlineHouse, tmp_path: Path
) -> None:
    online.trainer.skills = [0.0, 0.9]
    state = (await looped(online, tmp_path, turns=2)).state
    worse, better = state.iterations
    assert worse.verdict == "rejected"
    assert "not shown to be non-inferior" in worse.reasons[0]
    assert (better.verdict, better.parent) == ("live", "base")
    assert not list((online.policies / "incoming").iterdir())


async def test_what_was_measured_stands_in_the_published_manifest(
    online: OnlineHouse, tmp_path: Path
) -> None:
    online.trainer.skills = [0.9]
    [turn] = (await looped(online, tmp_path)).state.iterations
    evaluation = online.registry_of(turn.version).evaluation
    tasks = PLAN.tasks("evaluation", 0, PLAN.num_evaluation_tasks)
    assert evaluation.live.keys() == evaluation.candidate.keys() == tasks.keys()
    assert evaluation.live_version == "base"
    assert sum(evaluation.candidate.values()) / len(tasks) == turn.measured.candidate


async def test_trees_are_logged_as_rollouts_with_the_verifiers_word(
    online: OnlineHouse, tmp_path: Path
) -> None:
    online.trainer.skills = [0.9]
    state = (await looped(online, tmp_path)).state
    prefix = groups_of(state.run_id, 0)
    found = survey(online.log, Rules(group_prefix=prefix))
    assert (found.damage, found.reasons) == ([], {})
    assert len(found.eligible) == PLAN.num_tasks * PLAN.group_size
    assert {said.source for said in found.verdicts.latest.values()} == {"verifier"}
    assert {row.group_id for row in found.rows if row.group_id} == {
        prefix + name for name in PLAN.tasks("rollout", 0, PLAN.num_tasks)
    }
    assert [wanted.groups for wanted in online.trainer.asked] == [prefix]
    other = survey(online.log, Rules(group_prefix="another/"))
    assert other.reasons == {"other_group": PLAN.num_tasks * PLAN.group_size}


async def test_a_killed_run_goes_on_with_the_trees_that_are_there(
    online: OnlineHouse, tmp_path: Path
) -> None:
    online.trainer.skills, online.trainer.fails = [0.9], 1
    site, folder = online.site(), RunFolder(tmp_path / "run")
    loop = Loop(site, folder, await begun(site, PLAN, folder), told)
    with pytest.raises(asyncio.CancelledError):
        await loop.run(1)
    num_trees = len(online.house.store.admitted)
    again = Loop(site, folder, await begun(site, PLAN, folder, resume=True), told)
    [turn] = (await again.run(1)).iterations
    assert turn.verdict == "live"
    assert len(online.house.store.admitted) == num_trees
    assert again.state.run_id == loop.state.run_id


async def test_what_was_published_before_a_kill_is_not_published_again(
    online: OnlineHouse, tmp_path: Path
) -> None:
    online.trainer.skills = [0.9]
    site, folder = online.site(), RunFolder(tmp_path / "run")
    state = await begun(site, PLAN, folder)
    loop = Loop(site, folder, state, told)
    out = online.policies / "incoming" / f"{state.run_id}-1"
    await loop.update("base", groups_of(state.run_id, 0), out)
    await loop.evaluate(0, "base", out)
    await publishing.publish(online.registry, online.policies, out)
    calls = len(online.replica.log)
    [turn] = (await loop.run(1)).iterations
    assert (turn.version, turn.verdict) == ("policy-v1", "live")
    assert online.registry.num_published == 1
    assert len(online.replica.log) == calls  # nor measured


async def test_batches_are_collected_ahead_and_no_further_than_the_plan_allows(
    online: OnlineHouse, tmp_path: Path
) -> None:
    plan = PLAN.model_copy(update={"ahead": 1})
    online.trainer.skills = [0.5, 0.8, 1.0]
    batches: list[int] = []
    updating = online.trainer

    async def counting(wanted: object, errors: Path) -> None:
        """While an update runs the next batch comes, and the one behind it does not."""
        size, number = plan.num_tasks * plan.group_size, len(batches) + 1
        await until(lambda: len(online.house.store.admitted) >= min(3, number + 1) * size)
        batches.append(len(online.house.store.admitted) // size)
        await updating(wanted, errors)  # type: ignore[arg-type]

    online.update = counting
    state = (await looped(online, tmp_path, plan, turns=3)).state
    assert batches == [2, 3, 3]
    assert [turn.staleness for turn in state.iterations] == [0, 1, 1]
    assert [wanted.max_staleness for wanted in online.trainer.asked] == [0, 1, 2]


async def test_a_server_without_the_candidates_weights_measures_nothing(
    online: OnlineHouse, tmp_path: Path
) -> None:
    online.trainer.skills, online.replica.is_deaf = [0.9], True
    with pytest.raises(NotMeasured, match="nats a token"):
        await looped(online, tmp_path)
    assert online.registry.num_published == 0


async def test_a_run_is_not_resumed_with_another_plan(online: OnlineHouse, tmp_path: Path) -> None:
    online.trainer.skills = [0.9]
    await looped(online, tmp_path)
    other = PLAN.model_copy(update={"group_size": 3})
    with pytest.raises(OtherPlan, match="group_size was 2, and is 3"):
        await begun(online.site(), other, RunFolder(tmp_path / "run"), resume=True)


async def test_the_state_is_a_file_that_others_can_read(
    online: OnlineHouse, tmp_path: Path
) -> None:
    online.trainer.skills = [0.9]
    await looped(online, tmp_path)
    state = json.loads((tmp_path / "run" / "state.json").read_text())
    assert [turn["verdict"] for turn in state["iterations"]] == ["live"]
