"""What holds for every environment."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.training.environments.playing import (
    DIFFICULTIES,
    LOW,
    SOURCES,
    delegating,
    is_in_vocabulary,
    reading,
    written,
)
from training.environments.catalogue import ENVIRONMENTS, environment
from training.environments.environment import Environment, Goal, Move, is_allowed, play, rng
from training.environments.errors import BadDifficulty, UnknownEnvironment, WindowTooSmall
from training.environments.in_sequence import InSequence

ALL = [(name, difficulty) for name, values in DIFFICULTIES.items() for difficulty in values]
seeds = st.integers(0, 10_000)
cheap = st.sampled_from([(name, value) for name, values in LOW.items() for value in values])


def everything_shown(made: Goal, source: Environment) -> list[tuple[str, ...]]:
    return delegating(made, source.num_view_tokens, rng("player", 0, 0)).views


def test_the_catalogue_is_what_is_tested() -> None:
    assert set(ENVIRONMENTS) == set(DIFFICULTIES)


@settings(max_examples=40)
@given(st.sampled_from(ALL), seeds)
def test_the_gold_solution_scores_one_and_every_move_of_it_is_offered(
    chosen: tuple[str, int], seed: int
) -> None:
    name, difficulty = chosen
    moves = SOURCES[name].generate(seed, difficulty).solve()
    goal = SOURCES[name].generate(seed, difficulty)
    for move in moves[:-1]:
        assert is_allowed(goal, move)
        goal.use(move.words)
    assert moves[-1].kind == "answer"
    assert is_allowed(goal, moves[-1])
    assert goal.verify(moves[-1].words) == 1.0


@settings(max_examples=40)
@given(st.sampled_from(ALL), seeds, st.randoms(use_true_random=False))
def test_a_solution_that_was_corrupted_scores_below_one(
    chosen: tuple[str, int], seed: int, random: Random
) -> None:
    name, difficulty = chosen
    goal = SOURCES[name].generate(seed, difficulty)
    moves = list(goal.solve())
    if len(moves) > 1 and name != "recall":  # where the right answer can be guessed
        del moves[-2]  # the last action before the answer
    else:
        answer = moves[-1].words
        place = random.randrange(len(answer))
        others = [word for word in goal.choices("answer", answer[:place]) if word != answer[place]]
        wrong = (*answer[:place], random.choice(others), *answer[place + 1 :])
        moves[-1] = Move("answer", wrong)
    assert play(goal, moves) < 1.0


@settings(max_examples=40)
@given(st.sampled_from(ALL), seeds)
def test_the_same_seed_and_difficulty_make_the_same_task(
    chosen: tuple[str, int], seed: int
) -> None:
    name, difficulty = chosen
    one, other = (SOURCES[name].generate(seed, difficulty) for _ in range(2))
    assert one.solve() == other.solve()
    assert everything_shown(one, SOURCES[name]) == everything_shown(other, SOURCES[name])


@pytest.mark.parametrize("name", DIFFICULTIES)
def test_another_seed_makes_another_task(name: str) -> None:
    source, difficulty = SOURCES[name], DIFFICULTIES[name][1]
    made = [source.generate(seed, difficulty) for seed in range(10)]
    assert len({(goal.observe(10_000), goal.solve()) for goal in made}) > 5


@settings(max_examples=40)
@given(st.sampled_from(ALL), seeds)
def test_one_who_delegates_everywhere_solves_it_within_the_budget_and_the_window(
    chosen: tuple[str, int], seed: int
) -> None:
    name, difficulty = chosen
    source = SOURCES[name]
    played = delegating(
        source.generate(seed, difficulty), source.num_view_tokens, rng("player", seed, 0)
    )
    assert played.success == 1.0
    assert played.num_steps <= source.max_steps(difficulty)
    assert all(len(view) <= source.num_view_tokens for view in played.views)
    assert all(is_in_vocabulary(source, view) for view in played.views)


@settings(max_examples=40)
@given(st.sampled_from(ALL), seeds)
def test_one_who_reads_in_sequence_sees_and_does_the_same_in_as_many_steps(
    chosen: tuple[str, int], seed: int
) -> None:
    name, difficulty = chosen
    source = SOURCES[name]
    tree = delegating(
        source.generate(seed, difficulty), source.num_view_tokens, rng("player", seed, 0)
    )
    alone = reading(
        source.generate(seed, difficulty), source.num_view_tokens, rng("player", seed, 0)
    )
    assert alone.success == 1.0
    assert alone.num_steps == tree.num_steps
    assert sorted(alone.views) == sorted(tree.views)


@given(cheap, seeds, st.randoms(use_true_random=False))
def test_random_moves_never_raise_and_never_leave_the_vocabulary(
    chosen: tuple[str, int], seed: int, random: Random
) -> None:
    name, difficulty = chosen
    source = SOURCES[name]
    goal = InSequence(source.generate(seed, difficulty))
    for _ in range(source.max_steps(difficulty)):
        view = goal.observe(source.num_view_tokens)
        assert len(view) <= source.num_view_tokens
        assert is_in_vocabulary(source, view)
        kind = random.choice(goal.kinds())
        words = written(goal, kind, random)
        assert is_in_vocabulary(source, words)
        match kind:
            case "answer":
                assert 0.0 <= goal.verify(words) <= 1.0
                return
            case "read":
                goal.read(words)
            case "note":
                goal.note(words)
            case _:
                goal.use(words)


@given(cheap, seeds)
def test_parts_without_answers_are_merged_and_are_no_success_by_themselves(
    chosen: tuple[str, int], seed: int
) -> None:
    name, difficulty = chosen
    source = SOURCES[name]
    goal = source.generate(seed, difficulty)
    if "delegate" not in goal.kinds():
        return
    goal.merge([None for _ in goal.parts(written(goal, "delegate", rng("player", seed, 0)))])
    assert "delegate" not in goal.kinds() or name in {"algebra", "maze"}
    assert is_in_vocabulary(source, goal.observe(source.num_view_tokens))


@pytest.mark.parametrize("name", DIFFICULTIES)
def test_a_difficulty_that_cannot_be_made_is_refused(name: str) -> None:
    with pytest.raises(BadDifficulty, match=name):
        SOURCES[name].generate(0, -1)


@pytest.mark.parametrize("name", ["algebra", "chain", "maze", "textcraft"])
def test_a_window_too_small_for_the_shortest_view_is_refused(name: str) -> None:
    with pytest.raises(WindowTooSmall):
        SOURCES[name].generate(0, DIFFICULTIES[name][1]).observe(3)


def test_an_unknown_name_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(UnknownEnvironment) as raised:
        environment("chess")
    assert "algebra" in raised.value.hint
