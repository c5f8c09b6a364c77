from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import pytest

from banyan import notices, sizes
from banyan.gate import Situation, allowed, threshold_for
from banyan.joining import joined
from banyan.limits import Limits
from banyan.node import Brief, Node, Outcome
from banyan.policy import BASE, Policies, Policy
from banyan.ports import Message
from banyan.task import Gate, GateMode
from banyan.testing import ANSWER, ScriptedEngine, longest_rule
from tests.growing import Grower, outcome, sentences

SMALL = BASE.model_copy(update={"version": "small", "briefs": False, "cites": False})
PART = Situation(shows_all=True, has_seen=True, may_delegate=True, is_part=True)
LONG = Situation(shows_all=False, has_seen=True, may_delegate=True)


ONLY_SMALL = Policies([SMALL], live="small")


async def test_a_policy_without_briefs_hands_its_own_goal_on_and_writes_nothing() -> None:
    grower = Grower(ScriptedEngine(), policies=ONLY_SMALL)
    tree = await grower.grow("Summarise it.", sentences(2_000))
    assert tree.status == "completed"
    assert tree.usage.nodes > 2
    [split, _] = await grower.turns(tree.id, "0")
    assert split.decision.kind == "delegate"
    assert split.completion_text.count("Summarise it.") == 1
    assert split.completion_token_ids == ()
    nodes, _ = await grower.store.list_nodes(tree.id, offset=0, limit=1_000)
    for node in nodes:
        for turn in await grower.turns(tree.id, node.path):
            assert "Brief:" not in turn.prompt_text


async def test_a_policy_that_does_not_cite_has_its_answers_attributed() -> None:
    said = '{"answer": "The number 17 is what this sentence is about."}'
    grower = Grower(ScriptedEngine(rule=lambda _, __: said), policies=ONLY_SMALL)
    tree = await grower.grow("Which number?", sentences(40))
    [turn] = await grower.turns(tree.id, "0")
    assert "cite" not in turn.prompt_text
    assert "[1]" not in turn.prompt_text
    cited = [await grower.library.text("acme", span) for span in outcome(tree).citations]
    assert cited
    assert all("17" in text for text in cited)


async def test_with_briefs_and_citations_the_model_is_asked_for_both() -> None:
    grower = Grower(ScriptedEngine())
    tree = await grower.grow("Summarise it.", sentences(2_000))
    [split, answer] = await grower.turns(tree.id, "0")
    assert "brief" in split.prompt_text
    assert split.completion_tokens > 0
    assert "cite their numbers" in answer.prompt_text
    assert ANSWER in answer.completion_text


@pytest.mark.parametrize("mode", ["sampled", "always", "never"])
def test_parts_that_fit_are_forced_to_answer_under_the_threshold_alone(mode: GateMode) -> None:
    assert allowed(PART, Gate(), SMALL) == ("answer",)
    if mode != "never":
        assert "delegate" in allowed(PART, Gate(mode=mode), SMALL)


def test_parts_that_fit_are_chosen_for_by_whoever_learned_to_or_is_asked_to() -> None:
    trained = BASE.model_copy(update={"version": "trained", "gates_parts": True})
    asked = Gate(threshold=0.5)
    assert allowed(PART, Gate(), BASE) == ("answer",)
    assert allowed(PART, Gate(), trained) == ("answer", "delegate")
    assert allowed(PART, asked, BASE) == ("answer", "delegate")
    assert allowed(PART, asked, SMALL) == ("answer",)


def test_what_fits_and_is_no_part_is_chosen_for_by_every_policy() -> None:
    whole = replace(PART, is_part=False)
    assert allowed(whole, Gate(), BASE) == ("answer", "delegate")
    assert allowed(whole, Gate(), SMALL) == ("answer", "delegate")


@pytest.mark.parametrize(("gates_parts", "at_least", "at_most"), [(False, 1.0, 1.4), (True, 2, 3)])
async def test_a_part_is_read_twice_only_where_its_policy_chooses_for_parts(
    gates_parts: bool, at_least: float, at_most: float
) -> None:
    one = BASE.model_copy(update={"version": "one", "gates_parts": gates_parts})
    grower = Grower(ScriptedEngine(rule=longest_rule), policies=Policies([one], live="one"))
    text = sentences(1_500)
    tree = await grower.grow("Summarise it.", text)
    per_token = tree.usage.prompt_tokens / await grower.engine.count(text)
    assert at_least < per_token < at_most


def test_the_more_of_the_goal_was_found_the_surer_reading_all_must_be() -> None:
    shares = [None, 0.0, 0.5, BASE.found_enough, 1.0]
    nothing, *rising = [
        threshold_for(replace(LONG, share_found=share), Gate(), BASE) for share in shares
    ]
    assert rising == sorted(rising)
    assert rising[2] == nothing == BASE.threshold_overflow
    assert threshold_for(replace(LONG, share_found=1.0), Gate(threshold=0.5), BASE) == 0.5


async def test_a_needle_in_170_000_tokens_costs_one_look() -> None:
    hay = sentences(11_000)
    text = f"{hay} The lighthouse keeper hid the amber key. {hay}"
    grower = Grower(ScriptedEngine())
    tree = await grower.grow("Where is the amber key?", text)
    assert await grower.engine.count(text) > 170_000
    assert tree.usage.nodes == 1
    assert tree.usage.prompt_tokens + tree.usage.completion_tokens < 4_096
    assert notices.NOT_ALL_READ in outcome(tree).notices
    [*_, last] = grower.engine.calls
    assert "hid the amber key" in last.prompt.messages[-1].content


PLAIN = SMALL.model_copy(update={"version": "plain", "json_answers": False})
ONLY_PLAIN = Policies([PLAIN], live="plain")


async def test_a_plain_reply_is_the_answer_and_streams_as_it_is() -> None:
    said = 'He called it "The Banyan", and left.'
    grower = Grower(ScriptedEngine(rule=lambda _, __: f"\n{said}\n"), policies=ONLY_PLAIN)
    tree = await grower.grow("What did he call it?", sentences(40))
    assert outcome(tree).answer == said
    [call] = [call for call in grower.engine.calls if call.kind == "complete"]
    assert call.schema is None
    events = [event async for event in grower.store.events(tree.id)]
    streamed = [str(event.data["text"]) for event in events if event.type == "answer.delta"]
    assert "".join(streamed) == said


async def test_a_plain_answer_that_is_cut_off_is_kept_and_said() -> None:
    grower = Grower(ScriptedEngine(rule=lambda _, __: "word " * 5_000), policies=ONLY_PLAIN)
    tree = await grower.grow("Say it.", sentences(40))
    assert tree.status == "completed"
    assert notices.ANSWER_CUT in outcome(tree).notices


async def test_empty_plain_replies_are_tried_again_and_then_fail() -> None:
    grower = Grower(ScriptedEngine(rule=lambda _, __: "  \n"), policies=ONLY_PLAIN)
    tree = await grower.grow("Say it.", sentences(40))
    assert tree.status == "failed"
    assert outcome(tree).answer is None
    assert (
        len([call for call in grower.engine.calls if call.kind == "complete"]) == BASE.max_invalid
    )


async def test_objects_are_written_as_json_by_a_plain_policy_too() -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    grower = Grower(ScriptedEngine(rule=lambda _, __: '{"answer": {"n": 3}}'), policies=ONLY_PLAIN)
    tree = await grower.grow("How many?", sentences(40), answer_schema=schema)
    assert outcome(tree).answer == {"n": 3}
    [call] = [call for call in grower.engine.calls if call.kind == "complete"]
    assert call.schema is not None
    assert "Reply with JSON" in call.prompt.messages[-1].content


def test_a_policy_that_cites_cannot_answer_plainly() -> None:
    with pytest.raises(ValueError, match="cites needs json_answers"):
        Policy(version="v", threshold=0, threshold_overflow=0, json_answers=False)


@pytest.mark.parametrize(("wanted", "longest"), [(16, 16), (400, 400), (9_999, 512), (None, 256)])
async def test_the_caller_says_how_long_the_answer_may_be(wanted: int | None, longest: int) -> None:
    grower = Grower(ScriptedEngine())
    limits = Limits(max_answer_tokens=wanted)
    tree = await grower.grow("Say it.", sentences(40), limits=limits)
    [call] = [call for call in grower.engine.calls if call.kind == "complete"]
    assert call.schema is not None
    assert call.schema["properties"]["answer"]["maxLength"] == 3 * longest
    assert (notices.ANSWER_BOUNDED in outcome(tree).notices) == (wanted == 9_999)


JOINING = PLAIN.model_copy(update={"version": "joining", "merges": False})
ONLY_JOINING = Policies([JOINING], live="joining")


def _say_the_first_number(messages: Sequence[Message], _: object) -> str:
    found = re.search(r"Sentence number (\d+)", messages[-1].content)
    return f"It begins with number {found[1]}." if found else "It begins with nothing."


async def test_results_are_joined_in_their_order_where_the_policy_does_not_merge() -> None:
    grower = Grower(ScriptedEngine(rule=_say_the_first_number), policies=ONLY_JOINING)
    tree = await grower.grow("Summarise it.", sentences(500))
    nodes, _ = await grower.store.list_nodes(tree.id, offset=0, limit=1_000)
    children = [await grower.store.get_node(tree.id, f"0.{i}") for i in range(len(nodes) - 1)]
    parts = [child.outcome for child in children if child.outcome]
    assert len(parts) > 2
    assert outcome(tree).answer == "\n\n".join(str(part.answer) for part in parts)
    assert [*outcome(tree).citations] == [span for part in parts for span in part.citations]
    [_, last] = await grower.turns(tree.id, "0")
    assert last.completion_token_ids == ()
    written = [call.max_tokens for call in grower.engine.calls if call.kind == "complete"]
    assert len(written) == len(parts)
    assert sum(written) <= sizes.root_answer_tokens(2_048)


async def test_results_too_short_to_be_joined_are_read_as_a_text() -> None:
    def talk(messages: Sequence[Message], kind: object) -> str:
        return " ".join([_say_the_first_number(messages, kind)] * 12)

    grower = Grower(ScriptedEngine(rule=talk), policies=ONLY_JOINING)
    limits = Limits(max_answer_tokens=100)
    tree = await grower.grow("Summarise it.", sentences(500), limits=limits)
    nodes, _ = await grower.store.list_nodes(tree.id, offset=0, limit=1_000)
    children = [await grower.store.get_node(tree.id, f"0.{i}") for i in range(len(nodes) - 1)]
    said = [str(child.outcome.answer) for child in children if child.outcome]
    assert len(said) > 2
    [_, last] = await grower.turns(tree.id, "0")
    assert "<document>\n{}\n</document>".format("\n".join(said)) in last.prompt_text
    assert "Combine" not in last.prompt_text
    assert last.completion_tokens > 0


def test_only_texts_that_are_short_enough_are_joined() -> None:
    node = Node(path="0", goal="?", brief=Brief(task_goal="?"), answer_tokens=50)
    said = Outcome(status="ok", answer=" One thing. ")
    assert joined(node, [said, Outcome(status="failed"), said]) == "One thing.\n\nOne thing."
    assert joined(node, [said, Outcome(status="ok", answer={"n": 1})]) is None
    assert joined(node, [said] * 50) is None
    assert joined(node, []) is None


@pytest.mark.parametrize("told", [True, False])
async def test_a_policy_says_whether_its_agents_are_told_how_long_an_answer_may_be(
    told: bool,
) -> None:
    one = BASE.model_copy(update={"version": "one", "word_limits": told})
    grower = Grower(ScriptedEngine(), policies=Policies([one], live="one"))
    tree = await grower.grow("Say it.", sentences(40))
    [turn] = await grower.turns(tree.id, "0")
    assert (" words" in turn.prompt_text) == told
