"""Trees whose nodes share a state: a prefix trains token by token, vectors do not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from banyan.action import Kind
from banyan.limits import Limits
from banyan.ports import Message
from banyan.task import StateForm
from banyan.testing import FakePacker, ScriptedEngine
from banyan.trajectory import LoggedNode
from tests.growing import Grower, answer_first, rule
from tests.training.logs import NOW, Log, edit
from training.dataset import survey
from training.eligibility import Rules
from training.logged_rows import logged_rows
from training.update_data import DataSettings, update_data

NUM_CHILDREN = 3
DEPTH_1 = Limits(max_depth=1)


def listing(prompt: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    """Name children where that is asked for, else answer."""
    if "children" in properties:
        children = [{"goal": f"part {n}", "expects": None} for n in range(NUM_CHILDREN)]
        return {"brief": "in parts", "children": children}
    return answer_first(prompt, properties)


def delegating(messages: Sequence[Message], kinds: Sequence[Kind]) -> Mapping[Kind, float]:
    """Log-probabilities under which a node that may delegate always does."""
    del messages
    return {kind: 0.0 if kind == "delegate" else -60.0 for kind in kinds}


async def logged(root: Path, form: StateForm) -> Log:
    """Two rollouts of one task, each a root and its children, which inherit this form."""
    engine = ScriptedEngine(rule=rule(listing), scores=delegating, embeds=form == "hidden")
    log = Log(root, grower=Grower(engine, packer=FakePacker(), now=NOW, logs=True))
    for success in (1.0, 0.0):
        tree = await log.grow("Plan it.", group_id="g", state=form, limits=DEPTH_1)
        assert tree.usage.nodes == 1 + NUM_CHILDREN
        log.say(tree, success)
    return log


def children(log: Log) -> list[LoggedNode]:
    return [node for node in log.nodes() if node.parent_id is not None]


async def test_a_record_behind_a_prefix_holds_the_whole_prompt(tmp_path: Path) -> None:
    log = await logged(tmp_path, "prefix")
    asked = [call.prompt.token_ids for call in log.grower.engine.calls if call.kind == "complete"]
    chosen = [call.prompt.token_ids for call in log.grower.engine.calls if call.kind == "choose"]
    for node in log.nodes():
        for turn in node.turns:
            assert turn.prompt_token_ids in asked
            assert turn.choice.prompt_token_ids in (None, *chosen)
    [delegation, *_] = log.nodes()[0].turns
    begins = (delegation.prompt_token_ids or ()) + (delegation.completion_token_ids or ())
    first = next(node for node in children(log) if node.tree_id == log.nodes()[0].tree_id)
    assert (first.turns[0].prompt_token_ids or ())[: len(begins)] == begins


async def test_trees_with_a_prefix_train_and_what_was_inherited_is_context(tmp_path: Path) -> None:
    log = await logged(tmp_path, "prefix")
    found = survey(log.root, Rules())
    assert (len(found.eligible), found.reasons) == (2, {})
    nodes = log.nodes()
    rows = logged_rows(nodes)
    of_children = [row for row in rows.rows if nodes[row.node].parent_id is not None]
    assert len(of_children) == 2 * NUM_CHILDREN
    for row in of_children:
        [turn] = nodes[row.node].turns
        prompt, completion = turn.prompt_token_ids or (), turn.completion_token_ids or ()
        assert row.token_ids == [*prompt, *completion]
        assert row.mask[: len(prompt)] == [0] * len(prompt)


async def test_an_update_takes_the_choices_that_were_drawn_behind_a_prefix(tmp_path: Path) -> None:
    log = await logged(tmp_path, "prefix")
    data = update_data(log.root, DataSettings())
    assert (data.num_trees, data.num_nodes) == (2, 2 * (1 + NUM_CHILDREN))
    assert data.left_out["trees"] == {"damaged": 0}
    assert {row.row.node for row in data.rows} <= set(range(data.num_nodes))


async def test_a_tree_with_vectors_does_not_train_and_the_reason_is_counted(tmp_path: Path) -> None:
    log = await logged(tmp_path, "hidden")
    assert {turn.prompt_token_ids for node in children(log) for turn in node.turns} == {None}
    assert survey(log.root, Rules()).reasons == {"no_token_ids": 2}


@pytest.mark.parametrize("form", ["prefix", "hidden"])
async def test_a_log_from_before_prompts_were_joined_does_not_train(
    tmp_path: Path, form: StateForm
) -> None:
    log = await logged(tmp_path, form)
    for file in log.files():
        edit(file, 1, turns__0__prompt_token_ids=None)
    assert survey(log.root, Rules()).reasons == {"no_token_ids": 2}
