"""What is shown of a tree follows from its events, on terminals of any size and in pipes."""

from __future__ import annotations

import io
from collections import Counter

from pydantic import JsonValue
from rich.console import Console

from banyan.client.progress import LineProgress, LiveProgress, draw, make_progress, summary
from banyan.client.results import StreamEvent
from banyan.client.tree_view import TreeView


def event(name: str, seq: int = 1, /, **data: JsonValue) -> StreamEvent:
    return StreamEvent(type=name, seq=seq, at=100.0 + seq, data=data)


def grown(num_children: int) -> TreeView:
    view = TreeView()
    view.apply(event("tree.admitted"))
    view.apply(event("node.claimed", node="0"))
    view.apply(event("node.turn", node="0", kind="delegate"))
    view.apply(event("node.spawned", node="0", children=num_children))
    return view


def rendered(view: TreeView, max_lines: int, width: int = 60) -> list[str]:
    console = Console(file=io.StringIO(), width=width)
    with console.capture() as capture:
        console.print(draw(view, max_lines, width))
    return capture.get().splitlines()


def test_children_appear_queued_when_their_parent_delegates() -> None:
    view = grown(3)
    assert [child.path for child in view.children("0")] == ["0.0", "0.1", "0.2"]
    assert view.counts() == Counter({"queued": 3, "waiting": 1})
    assert view.nodes["0"].kind == "delegate"


def test_children_of_a_second_delegation_come_behind_the_first() -> None:
    view = grown(2)
    view.apply(event("node.spawned", node="0", children=1))
    assert [child.path for child in view.children("0")] == ["0.0", "0.1", "0.2"]


def test_a_node_goes_from_queued_over_running_to_its_outcome() -> None:
    view = grown(1)
    states = []
    for one in (
        event("node.claimed", node="0.0"),
        event("node.requeued", node="0.0", reason="lease_expired"),
        event("node.claimed", node="0.0"),
        event("node.finished", node="0.0", status="over_budget"),
    ):
        view.apply(one)
        states.append(view.nodes["0.0"].state)
    assert states == ["running", "queued", "running", "over_budget"]
    assert view.num_ended == 1


def test_a_turn_that_runs_again_replaces_what_it_had_written() -> None:
    view = TreeView()
    for offset, text in ((0, "The rent"), (8, " is due"), (0, "Rent"), (4, " falls due")):
        view.apply(event("answer.delta", node="0", offset=offset, text=text))
    assert view.answer == "Rent falls due"


def test_events_that_nobody_knows_change_nothing() -> None:
    view = grown(1)
    before = view.counts()
    view.apply(event("tree.pruned", gardener="me"))
    assert view.counts() == before


def test_the_status_is_what_the_last_event_says() -> None:
    view = grown(1)
    statuses = [view.status]
    view.apply(event("tree.finished", status="partial"))
    statuses.append(view.status)
    assert statuses == ["running", "partial"]


def test_a_small_tree_is_drawn_node_by_node() -> None:
    view = grown(2)
    view.apply(event("node.finished", node="0.0", status="ok"))
    assert rendered(view, max_lines=10) == [
        "◇ 0 waiting delegate",
        "├── ■ 0.0 ok",
        "└── · 0.1 queued",
    ]


def test_a_large_tree_collapses_to_one_row_for_each_level() -> None:
    view = grown(1_000)
    view.apply(event("node.finished", node="0.999", status="failed"))
    lines = rendered(view, max_lines=20)
    assert len(lines) == 2
    assert lines[1].startswith("depth 1  1000  ")
    assert lines[1].endswith("✗")
    assert all(len(line) <= 60 for line in lines)


def test_the_summary_counts_every_node_once() -> None:
    view = grown(4)
    view.apply(event("node.claimed", node="0.1"))
    view.apply(event("node.finished", node="0.2", status="ok"))
    assert (
        summary(view, 1.0).plain == "5 nodes  ■ 1 ok  ▶ 1 running  ◇ 1 waiting  · 2 queued  1.0 s"
    )


def test_in_a_pipe_each_delegation_and_end_is_a_plain_line() -> None:
    file = io.StringIO()
    with make_progress(Console(file=file)) as progress:
        assert isinstance(progress, LineProgress)
        progress.show(event("tree.admitted", 1))
        progress.show(event("node.claimed", 2, node="0"))
        progress.show(event("node.spawned", 3, node="0", children=2))
        progress.show(event("node.finished", 4, node="0.1", status="ok"))
        progress.show(event("node.requeued", 5, node="0.0", reason="lease_expired"))
        progress.show(event("tree.finished", 6, status="completed"))
    assert file.getvalue().splitlines() == [
        "    2.0 s  node 0 delegates to 2 copies",
        "    3.0 s  node 0.1 ok (1 of 3)",
        "    4.0 s  node 0.0 is queued again: lease_expired",
        "    5.0 s  finished completed",
    ]


def test_on_a_terminal_the_tree_is_drawn_in_place_with_the_answer_below() -> None:
    file = io.StringIO()
    console = Console(file=file, force_terminal=True, width=60, height=20)
    with make_progress(console) as progress:
        assert isinstance(progress, LiveProgress)
        progress.show(event("node.claimed", node="0"))
        progress.show(event("answer.delta", node="0", offset=0, text="It is due [today]."))
    last = file.getvalue()
    assert "▶ 0 running" in last
    assert "It is due [today]." in last
