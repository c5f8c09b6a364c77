"""What is learned from trees, the warm-up, and that a killed run goes on exactly."""

from __future__ import annotations

import json
import math
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from banyan.action import Kind
from banyan.gate import delegation_score
from tests.training_torch.tiny.growing import policy, trees
from training.credit_lines import credit_of as credit_of_file
from training.environments.catalogue import environment
from training.tiny import checkpoint, lines
from training.tiny.base_skill import Exam, gold_words
from training.tiny.errors import BadCheckpoint
from training.tiny.learner import Learner, LearnerSettings, credit_of
from training.tiny.nodes import Tree, turns_of
from training.tiny.scoring import score
from training.tiny.vocabulary import kind_of
from training.tiny.warmup import WarmupSettings, even_chances, warm_up


def rewarded(grown: list[Tree]) -> list[Tree]:
    """Every node of each group's first tree succeeded, and none of the others."""
    for tree in grown:
        for node in tree.nodes:
            node.success = float(tree.id.endswith(".0"))
    return grown


def test_a_step_makes_what_succeeded_likelier_and_what_failed_less_likely() -> None:
    learner = Learner(policy(), LearnerSettings(learning_rate=1e-3, entropy_weight=0.0))
    grown = rewarded(trees(learner.policy, num_groups=8))

    def loglikelihood(success: float) -> float:
        turns = [turn for node, turn in turns_of(grown) if node.success == success]
        logprobs_BC = score(learner.policy, turns).logprobs_BC
        masks = [[*map(float, turn.is_sample), 0.0][: logprobs_BC.shape[1]] for turn in turns]
        total: float = (logprobs_BC.detach() * torch.tensor(masks)).sum().item()
        return total

    before = loglikelihood(1.0) - loglikelihood(0.0)
    learner.step(grown)
    assert loglikelihood(1.0) - loglikelihood(0.0) > before


def test_fresh_rows_are_of_the_policy_that_learns_from_them() -> None:
    learner = Learner(policy(), LearnerSettings())
    figures = learner.step(rewarded(trees(learner.policy)))
    assert figures.logprob_gap == pytest.approx(0.0, abs=1e-5)
    assert figures.mean_ratio == pytest.approx(1.0, abs=1e-5)


def test_of_two_trees_that_succeed_the_shorter_one_is_learned_where_steps_are_discounted() -> None:
    grown = trees(policy("maze"), "maze", num_groups=20, difficulty=3)
    for tree in grown:
        tree.root.success = 1.0
    roots = [tree.root for tree in grown]
    plain, discounted = (
        credit_of(grown, LearnerSettings(discount=discount)) for discount in (1.0, 0.9)
    )
    pairs = list(zip(roots[::2], roots[1::2], strict=True))
    assert any(len(one.turns) != len(other.turns) for one, other in pairs)
    for one, other in pairs:
        assert plain[id(one)][0] == 0.0
        gain = 0.9 ** len(one.turns) - 0.9 ** len(other.turns)
        assert discounted[id(one)][0] == pytest.approx(gain)


def test_nodes_that_see_the_same_are_compared_with_one_another() -> None:
    grown = trees(policy("maze"), "maze", num_groups=1, group_size=8, difficulty=3)
    for tree in grown:
        for node in tree.nodes:
            node.success = 1.0 if node.depth else 0.0
    of_root, of_view = (
        credit_of(grown, LearnerSettings(baseline=baseline)) for baseline in ("root", "view")
    )
    first = [node for tree in grown for node in tree.nodes if node.id == "0.0" and node.turns]
    seen = Counter(node.turns[0].prompt for node in first)
    ((most, _),) = seen.most_common(1)
    same = [node for node in first if node.turns[0].prompt == most]
    assert len({node.tree.id for node in same}) > 1
    assert {of_root[id(node)][0] for node in same} == {1.0}
    assert {of_view[id(node)][0] for node in same} == {0.0}


def test_a_batch_is_learned_from_in_as_many_updates_as_are_asked_for() -> None:
    once, often = (
        Learner(policy(), LearnerSettings(num_updates=num, loss="ppo")) for num in (1, 3)
    )
    grown = rewarded(trees(once.policy, num_groups=8))
    num_turns = sum(1 for _ in turns_of(grown))
    assert once.step(grown).num_rows > often.step(grown).num_rows
    for learner, num_updates in ((once, 1), (often, 3)):
        states = [learner.optimizer.state[parameter]["step"] for parameter in learner.parameters]
        assert {int(step) for step in states} == {num_updates}
    more = Learner(policy(), LearnerSettings(num_updates=10 * num_turns))
    assert math.isfinite(more.step(grown).loss)


def test_served_weights_are_the_mean_of_those_since_the_warm_up() -> None:
    learner = Learner(policy(), LearnerSettings(averaging=0.9, learning_rate=1e-2))
    assert learner.served is learner.policy
    grown = rewarded(trees(learner.policy, num_groups=8))
    seen = [[one.detach().clone() for one in learner.policy.model.parameters()]]
    for _ in range(3):
        learner.step(grown)
        seen.append([one.detach().clone() for one in learner.policy.model.parameters()])
    for served, *kept in zip(learner.served.model.parameters(), *seen, strict=True):
        torch.testing.assert_close(served, torch.stack(kept).mean(dim=0))
    plain = Learner(policy(), LearnerSettings())
    plain.step(grown)
    assert plain.served is plain.policy


def test_the_threshold_learns_where_it_is_asked_to() -> None:
    fixed, learning = (
        Learner(policy(), LearnerSettings(learns_tau=learns_tau)) for learns_tau in (False, True)
    )
    for learner in (fixed, learning):
        learner.step(rewarded(trees(learner.policy, num_groups=8)))
    assert fixed.policy.tau.item() == 0.0
    assert learning.policy.tau.item() != 0.0


def test_the_log_of_rollouts_has_the_credit_that_they_train_with(tmp_path: Path) -> None:
    grown = rewarded(trees(policy(), num_groups=4))
    lines.write(tmp_path / "trees.jsonl", grown, "tiny-0")
    told = credit_of_file(str(tmp_path / "trees.jsonl"), lambda_=0.4, baseline="root").credit
    ours = credit_of(grown, LearnerSettings(lambda_=0.4))
    expected_N2 = np.array([ours[id(node)] for tree in grown for node in tree.nodes])
    np.testing.assert_allclose(np.stack([told.advantage_N, told.weight_N], axis=1), expected_N2)


def test_lines_hold_what_was_sampled(tmp_path: Path) -> None:
    grown = trees(policy(), num_groups=1)
    lines.write(tmp_path / "trees.jsonl", grown, "tiny-0")
    read = [json.loads(line) for line in (tmp_path / "trees.jsonl").read_text().splitlines()]
    nodes = [node for tree in grown for node in tree.nodes]
    assert [line["node_id"] for line in read] == [node.id for node in nodes]
    assert [line["parent_id"] for line in read] == [
        node.parent.id if node.parent else None for node in nodes
    ]
    first, turn = read[0]["turns"][0], grown[0].root.turns[0]
    assert tuple(first["completion_token_ids"]) == turn.completion
    assert tuple(first["logprobs"]) == pytest.approx(turn.logprobs)


@pytest.mark.parametrize("alone", [False, True])
def test_the_warm_up_teaches_the_small_skill_and_leaves_the_gate_even(alone: bool) -> None:
    source, learner = environment("needle"), policy("needle", alone=alone)
    settings = WarmupSettings(max_updates=60, skill_difficulty=0, shown_difficulties=(0, 1, 2))
    before = Exam(source, learner, 0).skill(learner)
    after = warm_up(source, learner, replace(settings, learning_rate=5e-3), seed=0)
    assert after > before + 0.1
    opened = learner.opens
    decisions = [tree.root.turns[0].decision for tree in trees(learner, "needle", num_groups=20)]
    scores = [decision.score for decision in decisions if decision.score is not None]
    assert len(scores) == len(decisions)
    assert abs(float(np.mean(scores))) < 0.5, opened


@pytest.mark.parametrize(
    ("kinds", "chances"),
    [
        (("answer", "delegate"), (0.5, 0.5)),
        (("answer", "delegate", "use"), (0.25, 0.5, 0.25)),
        (("answer", "use"), (0.5, 0.5)),
        (("delegate",), (1.0,)),
    ],
)
def test_an_even_gate_opens_with_a_chance_of_a_half_whatever_else_is_possible(
    kinds: tuple[Kind, ...], chances: tuple[float, ...]
) -> None:
    assert even_chances(kinds, "delegate") == chances
    if "delegate" in kinds and len(kinds) > 1:
        logprobs = {kind: math.log(chance) for kind, chance in zip(kinds, chances, strict=True)}
        assert delegation_score(logprobs) == pytest.approx(0.0)


def test_the_warm_up_ends_at_the_first_update_with_enough_skill() -> None:
    settings = WarmupSettings(
        max_updates=80,
        enough_skill=0.3,
        look_every=4,
        close=1.0,
        skill_difficulty=0,
        shown_difficulties=(0, 1, 2),
    )
    enough, told = policy("needle"), list[int]()
    reached = warm_up(environment("needle"), enough, settings, 0, told.append)
    short = policy("needle")
    shorter = replace(settings, max_updates=told[-1] - 1)
    assert warm_up(environment("needle"), short, shorter, 0) < settings.enough_skill <= reached
    assert reached == Exam(environment("needle"), enough, 0).skill(enough)
    assert told[-1] > settings.look_every


def test_an_exam_asks_everybody_for_the_same_and_a_lone_agent_for_notes_too() -> None:
    source, learner = environment("algebra"), policy()
    assert Exam(source, learner, 1).skill(learner) == Exam(source, learner, 1).skill(learner)
    alone = policy(alone=True)
    prefixes = [prefix for prefix, _, _ in gold_words(alone, source.generate(1, 1))]
    assert [kind_of(prefix[-1]) for prefix in prefixes] == ["answer", "note"]


@pytest.mark.parametrize("averaging", [0.0, 0.5])
def test_a_checkpoint_goes_on_exactly(tmp_path: Path, averaging: float) -> None:
    settings = LearnerSettings(learns_tau=True, averaging=averaging)
    straight = Learner(policy(), settings)
    straight.step(rewarded(trees(straight.policy)))
    checkpoint.save(tmp_path / "kept.safetensors", straight, "state")
    resumed = Learner(policy(seed=9), settings)
    assert checkpoint.load(tmp_path / "kept.safetensors", resumed) == "state"
    for learner in (straight, resumed):
        learner.step(rewarded(trees(learner.policy)))
    for one, other in zip(straight.parameters, resumed.parameters, strict=True):
        assert torch.equal(one, other)
    served = (learner.served.model.parameters() for learner in (straight, resumed))
    assert all(torch.equal(one, other) for one, other in zip(*served, strict=True))


@pytest.mark.parametrize("content", [b"", b"no checkpoint", b"\x00" * 64])
def test_a_file_that_is_no_checkpoint_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "kept.safetensors"
    path.write_bytes(content)
    with pytest.raises(BadCheckpoint, match="kept"):
        checkpoint.load(path, Learner(policy(), LearnerSettings()))


def test_a_checkpoint_of_another_size_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "kept.safetensors"
    checkpoint.save(path, Learner(policy("maze"), LearnerSettings()), "")
    with pytest.raises(BadCheckpoint):
        checkpoint.load(path, Learner(policy("algebra"), LearnerSettings()))
