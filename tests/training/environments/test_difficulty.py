"""The difficulty of each environment is what it says, and its particular rules hold."""

from __future__ import annotations

import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.training.environments.playing import delegating
from training.environments import algebra
from training.environments.aggregate import COUNTS, LABELS, RECORDS, Aggregate
from training.environments.algebra import Algebra, AlgebraGoal, Operation
from training.environments.chain import Chain, ChainGoal, Link, World
from training.environments.dialog import ONE_SERVICE, Dialog
from training.environments.environment import HIDDEN, Goal, Move, play, rng
from training.environments.language_source import LanguageSource, bits_per_token
from training.environments.long_sequence import LongSequence
from training.environments.maze import DOORS, Maze, MazeGoal
from training.environments.maze import World as MazeWorld
from training.environments.maze_grid import MAX_LEAF_SIDE, Grid, Region
from training.environments.needle import NONE, Needle
from training.environments.recall import Recall
from training.environments.tally import Tally
from training.environments.textcraft import (
    NOTHING_TO_DIVIDE,
    Textcraft,
    TextcraftGoal,
    recipe_depth,
)

seeds = st.integers(0, 10_000)


@given(seeds, st.integers(1, 8))
def test_an_expression_is_as_deep_as_it_was_asked_for(seed: int, difficulty: int) -> None:
    assert algebra.depth(Algebra().generate(seed, difficulty).expression) == difficulty


def test_values_are_modulo_ten() -> None:
    product = Operation(Operation("7", "-", "9"), "*", Operation("8", "+", "9"))
    assert algebra.value(product) == 6  # -2 * 17 = -34


def test_the_view_folds_from_below_and_shows_the_answers_of_parts() -> None:
    left = Operation("1", "+", Operation("2", "*", "3"))
    goal = AlgebraGoal(Operation(left, "-", Operation("4", "+", "5")))
    assert " ".join(goal.observe(16)) == "( ( 1 + _ ) - ( 4 + 5 ) )"
    assert " ".join(goal.observe(5)) == "( _ - _ )"
    goal.merge([("7",), None])
    assert " ".join(goal.observe(16)) == "( 7 - ? )"


def test_a_part_of_a_chain_is_right_from_where_it_began_and_the_whole_is_not() -> None:
    goal = ChainGoal(World("1"), [Link("+", "2"), Link("*", "3"), Link("-", "4")], 3)
    assert " ".join(goal.observe(4)) == "1 + 2 _"
    first, second = goal.parts(())
    first.use(("4",))  # it is 3
    assert first.verify(()) == 0.0
    assert " ".join(second.observe(5)) == "4 * 3 - 4"
    for move in second.solve()[:-1]:
        second.use(move.words)
    assert goal.world.number == "8"
    assert second.verify(()) == 1.0
    assert goal.verify(()) == 0.0


@given(seeds, st.integers(2, 16))
def test_a_chain_that_is_divided_takes_more_steps_than_one_that_is_not(
    seed: int, difficulty: int
) -> None:
    direct = Chain().generate(seed, difficulty).solve()
    divided = delegating(Chain().generate(seed, difficulty), 4, rng("player", seed, 0))
    assert len(direct) == difficulty + 1
    assert divided.num_steps == 4 * difficulty - 2


@given(seeds, st.integers(2, 24))
def test_a_maze_is_as_large_as_it_was_asked_for_and_connected(seed: int, size: int) -> None:
    grid = Maze().generate(seed, size).world.grid
    if size > MAX_LEAF_SIDE:
        assert len(grid.region.cells()) == size**2
    assert all(grid.way((0, 0), cell) or cell == (0, 0) for cell in grid.open_)


def test_a_door_is_gone_through_by_the_part_before_it_in_either_direction() -> None:
    grid = Grid(4, 2)
    for row in range(3):
        grid.connect((row, 0), "south")
    down = MazeGoal(MazeWorld(grid, (0, 0)), grid.region, (3, 0))
    up = MazeGoal(MazeWorld(grid, (3, 0)), grid.region, (0, 0))
    assert down.choices("delegate", ()) == up.choices("delegate", ()) == DOORS[:1]
    for goal, cell, direction in ((down, (1, 0), "south"), (up, (2, 0), "north")):
        before, behind = goal.parts(DOORS[:1])
        assert (before.target, before.through) == (cell, direction)
        assert cell in before.region
        assert behind.target == goal.target
        assert play(before, before.solve()) == 1.0
        assert goal.world.at in behind.region


def test_a_walker_that_left_by_the_gate_is_where_it_had_to_go() -> None:
    goal = next(
        goal for seed in range(20) if (goal := Maze().generate(seed, 5)).through is not None
    )
    assert goal.observe(24)[0] == "away"
    *moves, answer = goal.solve()
    for move in moves:
        goal.use(move.words)
    assert goal.world.at not in goal.region
    assert goal.observe(24)[0] == "there"
    assert goal.verify(answer.words) == 1.0


def test_a_maze_divides_anew_where_its_parts_led_astray_and_not_once_it_is_done() -> None:
    grid = Grid(4, 2)
    for row in range(3):
        grid.connect((row, 0), "south")
    goal = MazeGoal(MazeWorld(grid, (0, 0)), grid.region, (3, 0))
    fresh = goal.observe(24), goal.kinds()
    for part in goal.parts(DOORS[:1]):
        assert part.verify(()) == 0.0
    goal.merge([(), ()])
    assert (goal.observe(24), goal.kinds()) == fresh
    assert "delegate" in goal.kinds()
    for move in goal.solve()[:-1]:
        goal.use(move.words)
    assert goal.kinds() == ("answer", "use")


def test_a_part_of_a_maze_that_the_walker_is_not_in_does_not_divide() -> None:
    grid = Grid(8, 2)
    behind = MazeGoal(MazeWorld(grid, (0, 0)), Region(4, 0, 8, 2), (7, 0))
    assert not behind.region.is_leaf
    assert behind.kinds() == ("answer", "use")


def test_a_leaf_is_given_up_after_two_moves_a_cell() -> None:
    goal = MazeGoal(MazeWorld(Grid(1, 2), (0, 0)), Region(0, 0, 1, 2), (0, 1))
    for _ in range(4):
        assert goal.kinds() == ("answer", "use")
        goal.use(("east",))
    assert goal.kinds() == ("answer",)


def test_notes_are_found_by_their_key_and_without_memory_nothing_is() -> None:
    for has_memory in (True, False):
        goal = Recall(has_memory=has_memory).generate(1, 3)
        for _ in range(3):
            goal.use(("note",))
            goal.use(("next",))
        assert goal.observe(6)[0] == "ask"
        goal.use(("search",))
        assert goal.observe(6)[-1] == (goal.world.answer if has_memory else "nothing")


def test_a_page_that_was_noted_can_only_be_turned() -> None:
    for has_memory in (True, False):
        goal = Recall(has_memory=has_memory).generate(1, 2)
        assert goal.choices("use", ()) == ("next", "note")
        goal.use(("note",))
        assert goal.choices("use", ()) == ("next",)


def test_what_was_not_noted_is_not_found() -> None:
    goal = Recall().generate(1, 1)
    goal.use(("next",))
    assert goal.kinds() == ("answer", "use")
    goal.use(("search",))
    assert goal.observe(6)[-1] == "nothing"
    assert goal.kinds() == ("answer",)


@given(seeds, st.integers(0, 4))
def test_a_tally_is_of_the_records_that_have_the_label(seed: int, doublings: int) -> None:
    goal = Tally().generate(seed, doublings)
    if goal.added is not None:
        assert doublings == 0
        assert int("".join(goal.truth())) == sum(goal.added)
        return
    _, label = goal.question
    assert int("".join(goal.truth())) == sum(item[0].startswith(label) for item in goal.items)


def test_the_way_through_a_maze_is_the_shortest() -> None:
    grid = Grid(2, 2)
    for cell, direction in [((0, 0), "east"), ((0, 0), "south"), ((0, 1), "south")]:
        grid.connect(cell, direction)
    assert grid.way((0, 0), (1, 0)) == ("south",)
    assert grid.way((1, 1), (1, 0)) == ("north", "west", "south")


def test_the_halves_of_a_region_are_all_of_it() -> None:
    region = Region(2, 3, 9, 8)
    first, second = region.halves()
    assert sorted(first.cells() + second.cells()) == region.cells()


def test_a_wall_stops_the_walker() -> None:
    goal = Maze().generate(1, 5)
    at = goal.world.at
    walls = {"north", "east", "south", "west"} - goal.world.grid.open_[at]
    assert walls
    for direction in walls:
        goal.use((direction,))
    assert goal.world.at == at


@given(seeds, st.integers(2, 12))
def test_every_step_that_a_maze_offers_leads_somewhere(seed: int, size: int) -> None:
    world = Maze().generate(seed, size).world
    for cell in list(world.grid.open_):
        world.at = cell
        goal = MazeGoal(world, world.grid.region, (0, 0))
        offered = goal.choices("use", ())
        assert offered
        for direction in offered:
            world.at = cell
            goal.use((direction,))
            assert world.at != cell


@given(seeds, st.integers(1, 6))
def test_a_recipe_is_as_deep_as_it_was_asked_for(seed: int, difficulty: int) -> None:
    goal = Textcraft().generate(seed, difficulty)
    assert recipe_depth(goal.world.recipes, goal.item) == difficulty


def test_nothing_is_crafted_from_what_is_not_there() -> None:
    goal = Textcraft().generate(0, 1)
    goal.use(("craft", goal.item))
    assert goal.verify(()) == 0.0


def test_a_part_does_not_take_what_its_sibling_made_before() -> None:
    goal = Textcraft().generate(3, 4)
    parts = goal.parts(())
    for part in parts:
        assert play(part, part.solve()) == 1.0
    assert all(part.world.inventory[part.item] >= part.count for part in parts)


def test_a_goal_shows_what_was_gathered_for_it_whatever_its_sibling_made() -> None:
    world = Textcraft().generate(0, 2).world
    world.get("base0")
    goal = TextcraftGoal(world, "base0", 1)
    assert goal.observe(32) == ("want", "base0", "1", "have")
    goal.use(("get", "base0"))
    assert goal.observe(32) == ("want", "base0", "1", "have", "base0", "1")


def test_what_is_taken_and_not_used_is_no_success() -> None:
    goal = Textcraft().generate(0, 3)
    waste = Move("use", ("get", goal.world.base[0]))
    assert play(goal, [waste, *goal.solve()]) == 0.0


def test_what_cannot_be_crafted_is_not_offered() -> None:
    goal = Textcraft().generate(0, 1)
    assert goal.choices("use", ()) == ("get",)
    *gets, craft, _ = goal.solve()
    for move in gets:
        goal.use(move.words)
    assert goal.item in goal.choices("use", ("craft",))
    goal.use(craft.words)
    assert goal.choices("use", ()) == ("get",)


@given(seeds)
def test_the_smallest_goal_of_a_recipe_has_no_parts_to_delegate(seed: int) -> None:
    goal = Textcraft().generate(seed, NOTHING_TO_DIVIDE)
    assert goal.kinds() == ("answer", "use")
    assert play(goal, goal.solve()) == 1.0


@given(seeds)
def test_in_the_smallest_goal_the_ingredients_at_hand_allow_another_recipe(seed: int) -> None:
    goal = Textcraft().generate(seed, NOTHING_TO_DIVIDE)
    verb, *_ = goal.solve()[0].words
    assert verb == "get" or len(goal.choices("use", ("craft",))) > 1


def test_the_smallest_goals_of_recipes_are_all_that_recipes_are_made_of() -> None:
    goals = [Textcraft().generate(seed, NOTHING_TO_DIVIDE) for seed in range(200)]
    verbs = [[move.words[0] for move in goal.solve() if move.words] for goal in goals]
    assert sorted({tuple(one) for one in verbs}) == [
        ("craft",),
        ("get",),
        ("get", "get"),
    ]


@given(seeds, st.integers(2, 24))
def test_a_dialogue_takes_as_many_turns_as_it_was_asked_for(seed: int, turns: int) -> None:
    goal = Dialog().generate(seed, turns)
    assert sum(move.kind == "use" for move in goal.solve()) == turns


@given(seeds)
def test_the_smallest_dialogue_is_one_service_behind_those_that_are_called(seed: int) -> None:
    goal = Dialog().generate(seed, ONE_SERVICE)
    services = list(goal.world.services.values())
    num_made = len(goal.world.calls)
    assert goal.world.calls == [goal.world.right_call(one) for one in services[:num_made]]
    assert "delegate" not in goal.kinds()
    calls = [move.words[1] for move in goal.solve() if move.words[:1] == ("call",)]
    assert calls == [services[num_made].name]


def test_the_smallest_dialogues_show_whatever_a_part_of_a_plan_shows() -> None:
    small = Dialog(max_turns=10, num_values=4)
    goals = [small.generate(seed, ONE_SERVICE) for seed in range(500)]
    last = [goal.services[-1] for goal in goals]
    assert {service.name for service in last} == set(small.services)
    assert {len(service.slots) for service in last} == {1, 2, 3, 4}
    assert {len(goal.services) == 1 for goal in goals} == {True, False}
    assert any(
        set(service.slots) & set(goal.world.known)
        for service, goal in zip(last, goals, strict=True)
    )


def test_what_is_known_cannot_be_asked_for_again() -> None:
    goal = Dialog().generate(0, 10)
    for slot in goal.world.asked:
        assert slot in goal.choices("use", ("ask",))
        goal.use(("ask", slot))
        assert slot not in goal.choices("use", ("ask",))
    assert goal.choices("use", ()) == ("call",)


def test_a_wrong_call_cannot_be_made_good() -> None:
    goal = Dialog().generate(0, 10)
    right = goal.solve()
    call = next(move for move in right if move.words[0] == "call")
    assert play(goal, [call, *right]) == 0.0


@given(seeds, st.integers(0, 9))
def test_a_text_with_a_needle_is_as_long_as_it_was_asked_for(seed: int, doublings: int) -> None:
    goal = Needle().generate(seed, doublings)
    assert goal.num_tokens == 8 * 2**doublings
    assert goal.truth() != (NONE,)
    assert sum(half.truth() != (NONE,) for half in goal.parts(()) if half.items) == 1


@given(seeds, st.integers(0, 8))
def test_counts_are_those_of_the_records(seed: int, doublings: int) -> None:
    goal = Aggregate().generate(seed, doublings)
    assert len(goal.items) == 4 * 2**doublings
    half = goal.parts(())[0]
    assert half.question == (COUNTS,)
    counts = Counter(RECORDS[record] for (record,) in half.items)
    digits = "".join(half.truth())
    assert [int(digits[4 * place : 4 * place + 4]) for place in range(4)] == [
        counts[label] for label in LABELS
    ]


def test_ten_thousand_tokens_need_three_levels_to_fit_the_window() -> None:
    source = LongSequence()
    goal = source.generate(0, 4)
    assert goal.num_tokens == 10_000
    assert HIDDEN in goal.observe(source.num_view_tokens)
    for _ in range(3):
        goal = max(goal.parts(()), key=lambda half: half.num_tokens)
    assert HIDDEN not in goal.observe(source.num_view_tokens)


def test_a_text_that_fits_the_window_is_read_and_not_divided() -> None:
    small = LongSequence(num_tokens_at_1=10, num_view_tokens=16, mark_share=0.1)
    assert {small.generate(seed, 1).kinds() for seed in range(50)} == {("answer",)}
    assert {levels(small.generate(seed, 4)) for seed in range(50)} == {3}


def levels(goal: Goal) -> int:
    """Of divisions above the parts that cannot be divided."""
    if "delegate" not in goal.kinds():
        return 0
    return 1 + max(map(levels, goal.parts(())))


def test_the_smallest_texts_are_parts_of_long_ones_and_answers_of_halves() -> None:
    small = LongSequence(num_tokens_at_1=10, num_view_tokens=16, mark_share=0.1)
    goals = [small.generate(seed, 1) for seed in range(500)]
    read = [goal for goal in goals if goal.found is None]
    merged = [goal for goal in goals if goal.found is not None]
    assert {sum(item[0] == "mark" for item in goal.items) for goal in read} >= {0, 1, 2, 3}
    assert all(goal.fits for goal in read)
    assert len(merged) > 100
    assert {len(goal.observe(16)) for goal in merged} == {len(("sum", "mark", "1", "mark", "2"))}


def test_a_question_over_the_whole_needs_every_marked_digit() -> None:
    goal = LongSequence().generate(5, 2)
    place = next(place for place, item in enumerate(goal.items) if item[0] == "mark")
    word = str((int(goal.items[place][1]) + 1) % 10)
    changed = goal.half([*goal.items[:place], ("mark", word), *goal.items[place + 1 :]])
    assert changed.truth() != goal.truth()


def test_bits_per_token_of_even_odds_are_those_of_a_die() -> None:
    assert bits_per_token([math.log(1 / 8)] * 5) == pytest.approx(3.0)


def test_the_source_says_its_own_probabilities() -> None:
    """Letters come as often as was said: the mean of 1 - p over what was likely is the noise."""
    source = LanguageSource(noise=0.2)
    text = source.text(seed=4, num_tokens=20_000)
    letters = [value for value in text.probabilities if value in (0.2 / 16, 0.2 / 16 + 0.8)]
    likely = sum(value > 0.5 for value in letters) / len(letters)
    assert likely == pytest.approx(0.8 + 0.2 / 16, abs=0.02)
    assert text == source.text(seed=4, num_tokens=20_000)


def test_who_forgets_the_rules_cannot_reach_the_ideal() -> None:
    text = LanguageSource().text(seed=0, num_tokens=5_000)
    guessing = [math.log(1 / 16)] * len(text.words)
    assert text.ideal_bits < bits_per_token(guessing)


def test_chance_is_the_same_in_every_process() -> None:
    assert " ".join(Algebra().generate(7, 2).observe(100)) == "( 7 + ( 6 - 6 ) )"
