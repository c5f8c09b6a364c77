"""Profiles of a task: what a rollout must be, and how its actions are sampled."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from banyan.policy import BASE, Policies
from banyan.task import Gate, Task
from banyan.testing import ScriptedEngine
from banyan.testing.rules import Rule, default_rule
from tests.growing import Grower, sentences

SAMPLED = Gate(mode="sampled")


@pytest.mark.parametrize(
    "changes",
    [
        {"profile": "rollout", "gate": SAMPLED},
        {"profile": "rollout", "group_id": "", "gate": SAMPLED},
        {"profile": "rollout", "group_id": "g"},
        {"profile": "rollout", "group_id": "g", "gate": SAMPLED, "train": False},
        {"group_id": "g"},
    ],
)
def test_a_task_whose_profile_does_not_hold_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Task(tenant="acme", goal="Why?", **changes)


def invalid_once() -> Rule:
    """A rule whose first reply is no action."""
    replies = ["no JSON"]
    return lambda messages, schema: replies.pop() if replies else default_rule(messages, schema)


async def test_a_rollouts_retry_is_a_sample_of_the_same_distribution() -> None:
    grower = Grower(engine=ScriptedEngine(rule=invalid_once()))
    tree = await grower.grow("Why?", sentences(30), profile="rollout", group_id="g", gate=SAMPLED)
    first, second = await grower.turns(tree.id, "0")
    assert (first.valid, second.valid) == (False, True)
    assert (first.temperature, second.temperature) == (1.0, 1.0)
    assert first.seed != second.seed


async def test_a_served_retry_is_warmer_and_repeatable() -> None:
    grower = Grower(engine=ScriptedEngine(rule=invalid_once()))
    tree = await grower.grow("Why?", sentences(30))
    turns = await grower.turns(tree.id, "0")
    assert [(turn.temperature, turn.seed) for turn in turns] == [(0.0, 0), (0.7, 1)]


async def test_a_penalty_of_the_policy_is_recorded_and_spares_rollouts() -> None:
    shy = BASE.model_copy(update={"version": "shy", "frequency_penalty": 1.0})
    grower = Grower(engine=ScriptedEngine(), policies=Policies([shy], live="shy"))
    served = await grower.grow("Why?", sentences(30))
    rollout = await grower.grow(
        "Why?", sentences(30), profile="rollout", group_id="g", gate=SAMPLED
    )
    assert [turn.frequency_penalty for turn in await grower.turns(served.id, "0")] == [1.0]
    assert [turn.frequency_penalty for turn in await grower.turns(rollout.id, "0")] == [0.0]
