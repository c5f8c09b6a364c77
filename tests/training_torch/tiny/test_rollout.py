"""Trees as they grow: budgets, gates, shared worlds, and probabilities as they were sampled."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from banyan.task import GateMode
from tests.training_torch.tiny.growing import policy, trees
from training.environments.algebra import Algebra, num_operations
from training.environments.catalogue import environment
from training.environments.in_sequence import InSequence
from training.tiny.acting import Actor, Style
from training.tiny.model import padded
from training.tiny.nested import nested
from training.tiny.nodes import turns_of
from training.tiny.rollout import TaskId, grow, plant
from training.tiny.sampler import Sampler
from training.tiny.scoring import score
from training.tiny.vocabulary import PAD, Vocabulary, kind_id, kind_of

ENVIRONMENTS = ["algebra", "aggregate", "chain", "dialog", "maze", "needle", "textcraft"]
DIFFICULTY = {"dialog": 5, "maze": 7}


def test_the_same_prefix_is_computed_once_and_is_what_the_model_says() -> None:
    grower = policy()
    sampler = Sampler(grower.model)
    short, long_ = (1, 8, 9), (1, 8, 9, 10, 11)
    rows = sampler.logprobs([short, long_, short])
    again = sampler.logprobs([long_])
    assert (sampler.num_asked, sampler.num_computed) == (4, 2)
    assert again[0] is rows[1]
    with torch.inference_mode():
        logits = grower.model(padded([short], PAD))[0, -1].double()
    np.testing.assert_allclose(rows[0], logits.log_softmax(-1).numpy(), atol=1e-6)


def test_prefixes_that_begin_others_are_computed_with_them_and_are_the_same() -> None:
    prefixes = [(1, 8), (2, 8, 9), (1, 8, 9, 10), (1, 8, 9), (1, 8), (3,)]
    rows, places = nested(prefixes)
    assert rows == [(1, 8, 9, 10), (2, 8, 9), (3,)]
    assert [rows[row][: last + 1] for row, last in places] == prefixes
    model = policy().model
    together = Sampler(model).logprobs(prefixes)
    for prefix, row in zip(prefixes, together, strict=True):
        np.testing.assert_allclose(row, Sampler(model).logprobs([prefix])[0], atol=1e-6)


def test_what_was_forgotten_is_computed_again() -> None:
    sampler = Sampler(policy().model)
    sampler.logprobs([(1, 8)])
    sampler.forget()
    sampler.logprobs([(1, 8)])
    assert sampler.num_computed == 2


@pytest.mark.parametrize("name", ENVIRONMENTS)
@pytest.mark.parametrize("alone", [False, True])
def test_trees_spend_no_more_than_the_budget_and_every_turn_counts(name: str, alone: bool) -> None:
    difficulty = DIFFICULTY.get(name, 3)
    grown = trees(policy(name, alone=alone), name, difficulty=difficulty)
    budget = environment(name).max_steps(difficulty)
    for tree in grown:
        assert tree.num_steps == sum(len(node.turns) for node in tree.nodes)
        assert tree.num_steps + tree.steps_left == budget
        assert tree.root.outcome == "ok" or tree.steps_left == 0
        assert all(node.success == 0 for node in tree.nodes if node.outcome == "over_budget")


@pytest.mark.parametrize("name", ENVIRONMENTS)
@pytest.mark.parametrize("alone", [False, True])
def test_the_trainer_scores_what_was_sampled_as_it_was_sampled(name: str, alone: bool) -> None:
    grower = policy(name, alone=alone)
    with torch.no_grad():
        grower.tau.fill_(0.7)
    grown = trees(grower, name, difficulty=DIFFICULTY.get(name, 3))
    turns = [turn for _, turn in turns_of(grown)]
    scores = score(grower, turns)
    for turn, row in zip(turns, scores.logprobs_BC.tolist(), strict=True):
        assert row[: len(turn.logprobs)] == pytest.approx(turn.logprobs, abs=1e-4)


def test_the_gate_draws_with_the_sigmoid_of_score_minus_tau() -> None:
    grower = policy()
    with torch.no_grad():
        grower.tau.fill_(-1.5)
    grown = trees(grower, difficulty=4, num_groups=40, group_size=10)
    roots = [tree.root.turns[0] for tree in grown]
    chances = []
    for turn in roots:
        assert turn.decision.score is not None
        chance = 1 / (1 + np.exp(-(turn.decision.score + 1.5)))
        chances.append(chance)
        delegated = turn.decision.kind == "delegate"
        assert np.exp(turn.logprobs[0]) == pytest.approx(chance if delegated else 1 - chance)
    share = np.mean([turn.decision.kind == "delegate" for turn in roots])
    assert share == pytest.approx(np.mean(chances), abs=0.08)


def test_always_delegates_wherever_it_can() -> None:
    for tree in trees(policy(), mode="always", difficulty=4):
        task = Algebra().generate(int(tree.group_id), 4)
        assert len(tree.nodes) == num_operations(task.expression)


def test_never_answers_at_once() -> None:
    assert all(len(tree.nodes) == 1 for tree in trees(policy(), mode="never", difficulty=4))


def test_one_who_always_reads_takes_as_many_steps_as_one_who_always_delegates() -> None:
    recursive = trees(policy(), mode="always", difficulty=4)
    single = trees(policy(alone=True), mode="always", difficulty=4)
    assert [tree.num_steps for tree in recursive] == [tree.num_steps for tree in single]
    assert all(len(tree.nodes) == 1 for tree in single)
    assert all(isinstance(tree.root.goal, InSequence) for tree in single)


def test_decisions_that_were_not_drawn_do_not_train() -> None:
    modes: tuple[GateMode, ...] = ("always", "never", "threshold")
    for mode in modes:
        for _, turn in turns_of(trees(policy(), mode=mode, is_greedy=True)):
            assert not any(turn.is_sample)
    sampled = [turn for _, turn in turns_of(trees(policy()))]
    assert {turn.is_sample[0] for turn in sampled if turn.decision.forced} == {False}
    assert {turn.is_sample[0] for turn in sampled if not turn.decision.forced} == {True}


@pytest.mark.parametrize("name", ["chain", "dialog", "maze", "textcraft"])
def test_children_that_share_a_world_run_one_after_another(name: str) -> None:
    for tree in trees(policy(name), name, mode="always", difficulty=DIFFICULTY.get(name, 3)):
        assert tree.num_waves >= tree.num_steps


def test_children_that_share_nothing_run_at_once() -> None:
    grown = trees(policy(), mode="always", difficulty=4, num_groups=10)
    assert sum(tree.num_waves for tree in grown) < sum(tree.num_steps for tree in grown)


def test_the_same_chance_grows_the_same_trees() -> None:
    one, other = (
        [turn for _, turn in turns_of(trees(policy(seed=3)))],
        [turn for _, turn in turns_of(trees(policy(seed=3)))],
    )
    assert one == other


def test_a_tree_whose_budget_runs_out_is_no_success() -> None:
    source = environment("algebra")
    tree = plant(source, TaskId(1, 4), "t", "g", alone=False)
    tree.steps_left = 2
    grow(source, Actor(policy(), Style("always"), np.random.default_rng(0)), [tree])
    assert tree.num_steps == 2
    assert (tree.root.outcome, tree.root.success) == ("over_budget", 0.0)


def test_ids_and_words_go_both_ways() -> None:
    vocabulary = Vocabulary(("a", "b"))
    assert [vocabulary.word(one) for one in vocabulary.ids(("b", "a"))] == ["b", "a"]
    assert kind_of(kind_id("read")) == "read"
    assert len(vocabulary) == 9
