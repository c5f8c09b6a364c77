"""What a child is handed of its parent's context, in each form, on the official twins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from banyan import notices
from banyan.action import Kind
from banyan.errors import ForeignVersion
from banyan.limits import Limits
from banyan.node import Node
from banyan.packed_state import PackedState, SharedState
from banyan.policy import BASE, Policies
from banyan.ports import Abilities, CallOptions, Choice, Completion, Embeds, Message, Prompt
from banyan.state import pack, unpack
from banyan.task import Gate, GateMode
from banyan.testing import FakePacker, ScriptedEngine
from banyan.testing.scripted import prefer_answer
from banyan.transfer import NUM_VECTORS, check, continued
from banyan.tree import TreeRecord
from tests.growing import Grower, outcome, rule, sentences, split_or_answer

LONG = sentences(2_000)
WINDOW = 8_192
DEPTH_1 = Limits(max_depth=1)
VERSION_BYTE = 4


def listing(num_children: int) -> ScriptedEngine:
    """An engine whose root lists children without inputs, which then answer."""

    def write(prompt: str, properties: Mapping[str, Any]) -> dict[str, Any]:
        if "children" in properties:
            children = [{"goal": f"part {index}", "expects": None} for index in range(num_children)]
            return {"brief": "each its own", "children": children}
        return split_or_answer(prompt, properties)

    return ScriptedEngine(rule=rule(write), window=WINDOW)


async def node_of(grower: Grower, tree: TreeRecord, path: str) -> Node:
    packed = (await grower.store.get_node(tree.id, path)).packed
    assert packed is not None
    return unpack(packed, Node)


async def state_of(grower: Grower, tree: TreeRecord, path: str) -> PackedState:
    state = (await node_of(grower, tree, path)).packed_state
    assert state is not None
    return state


async def shared_of(grower: Grower, tree: TreeRecord, name: str) -> SharedState:
    return unpack(await grower.store.shared(tree.id, name), SharedState)


def prompts_of(grower: Grower, kind: str = "complete") -> list[tuple[int, ...]]:
    return [call.prompt.token_ids or () for call in grower.engine.calls if call.kind == kind]


async def test_a_childs_prompt_begins_with_its_parents_prompt_and_reply() -> None:
    grower = Grower(listing(4))
    tree = await grower.grow("Plan it.", gate=Gate(mode="always"), state="prefix", limits=DEPTH_1)

    assert tree.status == "completed"
    [delegation, _] = await grower.turns(tree.id, "0")
    assert delegation.prompt_token_ids is not None
    assert delegation.completion_token_ids is not None
    prefix = delegation.prompt_token_ids + delegation.completion_token_ids
    for path in ("0.0", "0.1", "0.2", "0.3"):
        [turn] = await grower.turns(tree.id, path)
        assert turn.prompt_token_ids is not None
        shared = await shared_of(grower, tree, turn.inherited)
        assert shared.token_ids == prefix
        assert prefix + turn.prompt_token_ids in prompts_of(grower)
        assert "part" in turn.prompt_text
    # Caches are kept apart by tenant and policy version, and a tree has one of each.
    assert {call.options.salt for call in grower.engine.calls} == {"acme:base"}


def test_a_childs_own_task_begins_behind_what_it_was_handed() -> None:
    dialogue = (Message("system", "Be brief."), Message("user", "Goal: find it"))
    prefix = SharedState(form="prefix", policy="base", model="m", affinity="a1", token_ids=(7, 8))
    hidden = prefix.model_copy(update={"form": "hidden"})
    vectors = Embeds("data", 32)

    assert continued(dialogue, None) == dialogue
    assert continued(dialogue, prefix) == (
        Message("prefix", "a1", (7, 8)),
        Message(
            "user",
            "Now you are one of the readers. What stands above is what is known; only the passages "
            "below are yours, and their numbers start anew.\nGoal: find it",
        ),
    )
    assert continued(dialogue, hidden, vectors) == (
        dialogue[0],
        Message(
            "user",
            "What stands above is what the one who asks you knows. Your own task follows.\n"
            "Goal: find it",
            embeds=vectors,
        ),
    )


async def test_the_prefix_is_stored_once_for_all_children() -> None:
    engine = listing(200)
    engine.window = 65_536
    grower = Grower(engine)
    always, limits = Gate(mode="always"), Limits(max_depth=1, max_tokens=20_000_000)
    summary = await grower.grow("Plan it.", gate=always, state="summary", limits=limits)
    tree = await grower.grow("Plan it.", gate=always, state="prefix", limits=limits)

    assert tree.usage.nodes == summary.usage.nodes == 201
    assert len((await shared_of(grower, tree, "0.0")).token_ids) > 1_500
    for index in range(200):
        assert (await state_of(grower, tree, f"0.{index}")).name == "0.0"
    more = await bytes_of_children(grower, tree) - await bytes_of_children(grower, summary)
    assert more / 200 < 128  # the name of the prefix and its size, and never its tokens


async def bytes_of_children(grower: Grower, tree: TreeRecord) -> int:
    total = 0
    for path in await grower.paths(tree.id):
        if path != "0":
            record = await grower.store.get_node(tree.id, path)
            total += len(record.packed or b"") + sum(len(turn) for turn in record.turns)
    return total


async def test_a_split_leaves_room_for_the_prefix_and_reads_all_of_the_input() -> None:
    grower = Grower()
    tree = await grower.grow("What is it about?", LONG, state="prefix")

    assert tree.status == "completed"
    [covered] = outcome(tree).covered
    assert (covered.start, covered.end) == (0, len(LONG))
    forms = {
        path: (await state_of(grower, tree, path)).form
        for path in await grower.paths(tree.id)
        if path != "0"
    }
    told = notices.PREFIX_TOO_LONG in outcome(tree).notices
    assert told == ("summary" in forms.values())


async def test_grandchildren_begin_with_a_prefix_of_their_parents_prompt() -> None:
    grower = Grower(ScriptedEngine(rule=rule(split_or_answer), window=WINDOW))
    tree = await grower.grow("Why?", sentences(20_000), state="prefix", gate=Gate(mode="always"))

    assert tree.usage.max_depth >= 2
    for path in await grower.paths(tree.id):
        for turn in await grower.turns(tree.id, path):
            if not turn.inherited:
                continue
            shared = await shared_of(grower, tree, turn.inherited)
            whole = shared.token_ids + (turn.prompt_token_ids or ())
            assert whole in prompts_of(grower) or not turn.completion_token_ids


async def test_a_policy_that_writes_no_brief_hands_its_prompt_on_all_the_same() -> None:
    small = BASE.model_copy(update={"version": "small", "briefs": False})
    served = Policies([small], live=small.version)
    grower = Grower(ScriptedEngine(window=WINDOW), policies=served)
    tree = await grower.grow("Why?", sentences(2_000), state="prefix", gate=Gate(mode="always"))
    state = await state_of(grower, tree, "0.0")
    prefix = await shared_of(grower, tree, state.name)
    assert any(prompt[: state.tokens] == prefix.token_ids for prompt in prompts_of(grower))


def prefer_delegate(messages: Sequence[Message], kinds: Sequence[Kind]) -> Mapping[Kind, float]:
    del messages
    return {kind: -1.0 if kind == "delegate" else -20.0 for kind in kinds}


class Named(ScriptedEngine):
    """One of several servers, which says so."""

    async def choose(
        self, prompt: Prompt, letters: Mapping[Choice, str], options: CallOptions
    ) -> tuple[dict[Choice, float], Completion]:
        logprobs, completion = await super().choose(prompt, letters, options)
        return logprobs, replace(completion, replica="second")


@pytest.mark.parametrize(("mode", "replica"), [("threshold", "second"), ("always", "")])
async def test_children_are_told_which_server_their_parents_choice_was_made_on(
    mode: GateMode, replica: str
) -> None:
    small = BASE.model_copy(update={"version": "small", "briefs": False})
    served = Policies([small], live=small.version)
    engine = Named(scores=prefer_delegate, window=WINDOW)
    grower = Grower(engine, policies=served)
    gate = Gate(mode=mode, threshold=0.0)

    tree = await grower.grow("Why?", sentences(2_000), state="prefix", gate=gate)

    shared = await shared_of(grower, tree, (await state_of(grower, tree, "0.0")).name)
    assert shared.replica == replica  # without a choice the root's prompt was computed nowhere
    assert all(
        call.prompt.messages[0].replica == replica
        for call in engine.calls
        if call.prompt.messages[0].role == "prefix"
    )


def test_a_state_that_an_older_release_packed_is_read() -> None:
    shared = SharedState(form="prefix", policy="base", model="m", affinity="a1", token_ids=(7, 8))
    packed = bytearray(pack(shared))
    packed[VERSION_BYTE] = 1

    assert unpack(bytes(packed), SharedState) == shared


@pytest.mark.parametrize("form", ["auto", "prefix", "hidden"])
async def test_children_on_another_policy_are_given_a_summary(form: str) -> None:
    other = BASE.model_copy(update={"version": "other"})
    grower = Grower(
        ScriptedEngine(rule=rule(split_or_answer), window=WINDOW),
        policies=Policies([BASE, other], live=BASE.version),
        packer=FakePacker(),
    )
    tree = await grower.grow(
        "Why?", sentences(2_000), state=form, leaves="other", gate=Gate(mode="always")
    )
    assert (await state_of(grower, tree, "0.0")).form == "summary"
    told = notices.SUMMARY_FOR_SPECIALISTS in outcome(tree).notices
    assert told == (form != "auto")


async def test_an_engine_without_token_ids_is_told_of() -> None:
    engine = listing(3)
    engine.token_ids, engine.scores = False, None
    grower = Grower(engine)
    tree = await grower.grow("Plan it.", gate=Gate(mode="always"), state="prefix", limits=DEPTH_1)

    assert notices.PREFIX_UNAVAILABLE in outcome(tree).notices
    assert (await state_of(grower, tree, "0.0")).form == "summary"


async def test_a_prefix_that_leaves_children_too_little_room_is_told_of() -> None:
    grower = Grower(listing(3))
    tree = await grower.grow(
        "Plan it. " + "word " * 4_000, gate=Gate(mode="always"), state="prefix", limits=DEPTH_1
    )

    assert notices.PREFIX_TOO_LONG in outcome(tree).notices
    assert (await state_of(grower, tree, "0.0")).form == "summary"


async def test_vectors_without_a_packer_are_told_of() -> None:
    grower = Grower(listing(3))
    tree = await grower.grow("Plan it.", gate=Gate(mode="always"), state="hidden", limits=DEPTH_1)

    assert notices.HIDDEN_UNAVAILABLE in outcome(tree).notices
    assert (await state_of(grower, tree, "0.0")).form == "summary"


async def test_vectors_are_packed_once_and_stand_before_each_childs_task() -> None:
    engine, packer = listing(3), FakePacker()
    engine.embeds = True
    grower = Grower(engine, packer=packer)
    tree = await grower.grow("Plan it.", gate=Gate(mode="always"), state="hidden", limits=DEPTH_1)

    assert tree.status == "completed"
    assert not outcome(tree).notices
    [delegation, _] = await grower.turns(tree.id, "0")
    [packed] = packer.packed
    assert packed == (delegation.prompt_token_ids or ()) + (delegation.completion_token_ids or ())
    shared = await shared_of(grower, tree, "0.0")
    assert (shared.form, shared.token_ids) == ("hidden", ())
    state = await state_of(grower, tree, "0.1")
    assert (state.form, state.tokens, state.name) == ("hidden", NUM_VECTORS, "0.0")
    assert state.bytes == len(await grower.store.shared(tree.id, "0.0"))
    with_vectors = [
        call.prompt.messages[1].embeds for call in engine.calls if call.prompt.messages[1].embeds
    ]
    assert [part.data for part in with_vectors if part] == [shared.vectors.decode()] * 3


async def test_a_turn_behind_vectors_is_marked_as_one_that_token_ids_cannot_train() -> None:
    engine = listing(2)
    engine.embeds = True
    grower = Grower(engine, packer=FakePacker())
    tree = await grower.grow("Plan it.", gate=Gate(mode="always"), state="hidden", limits=DEPTH_1)

    [turn] = await grower.turns(tree.id, "0.0")
    assert turn.prompt_token_ids is None
    assert turn.inherited == "0.0"


async def test_a_state_of_another_policy_is_refused() -> None:
    shared = SharedState(form="prefix", policy="policy-v1", model="m", affinity="", token_ids=(1,))
    abilities = Abilities(name="e", model="m", window=2_048)
    check(shared, BASE.model_copy(update={"version": "policy-v1"}), abilities)

    with pytest.raises(ForeignVersion, match="policy-v1"):
        check(shared, BASE, abilities)


async def test_notes_outlive_a_suspension_and_are_found_by_search() -> None:
    steps = iter(["read", "note", "search", "delegate"])

    def scores(messages: Sequence[Message], kinds: Sequence[Kind]) -> Mapping[Kind, float]:
        if "part of the question" in messages[-1].content:  # a child
            return prefer_answer(messages, kinds)
        wanted = next(steps)
        return {kind: -1.0 if kind == wanted else -20.0 for kind in kinds}

    def write(prompt: str, properties: Mapping[str, Any]) -> dict[str, Any]:
        if "text" in properties:
            return {"text": "the ferry leaves at nine"}
        if "query" in properties:
            return {"query": "Ferry"}
        if "start" in properties:
            return {"document": 1, "start": 0, "end": 400}
        return split_or_answer(prompt, properties)

    grower = Grower(ScriptedEngine(rule=rule(write), scores=scores))
    tree = await grower.grow("What is it about?", sentences(300), gate=Gate(threshold=0.0))

    turns = await grower.turns(tree.id, "0")
    kinds = [turn.decision.kind for turn in turns]
    assert kinds == ["read", "note", "search", "delegate", "answer"]
    found, merged = turns[3].prompt_text, turns[4].prompt_text
    assert found.count("Note: the ferry leaves at nine") == 2  # where it is kept, and as found
    assert "<results>" in merged
    assert "Note: the ferry leaves at nine" in merged
    for path in await grower.paths(tree.id):
        if path != "0":
            assert (await node_of(grower, tree, path)).notes == ()


@pytest.mark.parametrize(
    ("goal_words", "num_children", "form"),
    [(700, 8, "prefix"), (10, 8, "summary"), (700, 1, "summary"), (2_400, 8, "summary")],
    ids=["long and shared", "short", "read by one child", "a third of the window"],
)
async def test_auto_takes_a_prefix_that_is_long_shared_and_leaves_room(
    goal_words: int, num_children: int, form: str
) -> None:
    grower = Grower(listing(num_children))
    goal = "Plan it. " + "word " * goal_words
    tree = await grower.grow(goal, gate=Gate(mode="always"), limits=DEPTH_1)

    assert (await state_of(grower, tree, "0.0")).form == form
    assert not outcome(tree).notices


async def test_a_summary_says_what_it_costs() -> None:
    grower = Grower(listing(2))
    tree = await grower.grow("Plan it.", gate=Gate(mode="always"), state="summary", limits=DEPTH_1)

    state = await state_of(grower, tree, "0.1")
    assert state == PackedState(form="summary", tokens=5, bytes=len("each its own"))
    assert (await node_of(grower, tree, "0")).packed_state is None
