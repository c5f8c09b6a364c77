"""The simulation conserves what it handles, and says of simple cases what can be said by hand."""

from __future__ import annotations

import pytest
from pydantic import JsonValue

from banyan.client.results import StreamEvent
from bench.burst import STEP_S, Speed, simulate
from bench.record_tree import Tree, Turn, read, shape
from bench.scaling import chart_scaler

ONE: Tree = {"0": [Turn(1_000, 0)]}
FAMILY: Tree = {
    "0": [Turn(500, 2), Turn(500, 0)],
    "0.0": [Turn(1_000, 0)],
    "0.1": [Turn(1_000, 2), Turn(1_000, 0)],
    "0.1.0": [Turn(1_000, 0)],
    "0.1.1": [Turn(1_000, 0)],
}
SPEED = Speed(prefill=1_000, decode=1_000, alone=100, completion_tokens=100, start_s=60)


def test_one_call_takes_what_it_takes_alone() -> None:
    result = simulate([(0.0, ONE)], SPEED, 1)
    assert result.queue_mean_s == 0
    assert result.tree_p50_s == pytest.approx(2.0, abs=STEP_S)


def test_a_tree_takes_as_long_as_its_longest_path() -> None:
    result = simulate([(0.0, FAMILY)], SPEED, 8)
    assert result.tree_p50_s == pytest.approx(1.5 + 2 + 2 + 2 + 1.5, abs=5 * STEP_S)


def test_servers_do_the_same_work_however_many_there_are() -> None:
    arrivals = [(0.0, FAMILY)] * 20
    work_s = 20 * (2 * 0.6 + 5 * 1.1)
    for servers in (1, 4):
        result = simulate(arrivals, SPEED, servers)
        done_s = result.busy_share * result.gpu_hours * 3_600
        assert done_s == pytest.approx(work_s)


def test_scaling_pays_less_than_the_most_and_waits_less_than_the_least() -> None:
    arrivals = [(0.0, FAMILY)] * 600
    one, eight = (simulate(arrivals, SPEED, servers) for servers in (1, 8))
    scaled = simulate(arrivals, SPEED, chart_scaler(1, 8))
    assert eight.tree_p95_s < scaled.tree_p95_s < one.tree_p95_s
    assert one.most_servers == 1 < scaled.most_servers <= 8
    assert scaled.gpu_hours < eight.gpu_hours


def test_from_zero_the_first_tree_waits_for_a_start_and_in_the_end_nothing_is_left() -> None:
    result = simulate([(0.0, ONE)], SPEED, chart_scaler(0, 8))
    assert SPEED.start_s <= result.queue_mean_s <= SPEED.start_s + 30
    assert result.gpu_hours * 3_600 < 1_000


def test_recorded_trees_are_whole() -> None:
    for name, tree in read().items():
        children = sum(turn.children for turns in tree.values() for turn in turns)
        assert children == len(tree) - 1, name
        assert all(turn.prompt_tokens > 0 for turns in tree.values() for turn in turns), name


def event(kind: str, **data: JsonValue) -> StreamEvent:
    return StreamEvent(type=kind, data=data)


def test_a_shape_is_read_out_of_events() -> None:
    events = [
        event("node.turn", node="0", prompt_tokens=9, led_to="spawn:2"),
        event("node.spawned", node="0", children=2),
        event("node.turn", node="0.1", prompt_tokens=7, led_to="finish:ok"),
        event("result"),
    ]
    assert shape(events) == {"0": [Turn(9, 2)], "0.1": [Turn(7, 0)]}
