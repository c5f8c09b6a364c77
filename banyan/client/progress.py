"""Progress: a tree as it grows, drawn in place on a terminal and told line by line elsewhere."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.live import Live
from rich.text import Text
from rich.tree import Tree

from banyan.client.results import StreamEvent
from banyan.client.tree_view import STATES, NodeState, NodeView, TreeView
from banyan.node import ROOT_PATH

STYLES: dict[NodeState, str] = {
    "queued": "bright_black",
    "running": "bold yellow",
    "waiting": "blue",
    "ok": "green",
    "failed": "bold red",
    "cancelled": "magenta",
    "over_budget": "dark_orange",
}
_MARKS: dict[NodeState, str] = {
    "queued": "·",
    "running": "▶",
    "waiting": "◇",
    "ok": "■",
    "failed": "✗",
    "cancelled": "-",
    "over_budget": "!",
}
_ANSWER_LINES = 6
_MIN_TREE_LINES = 4


class Progress(Protocol):
    """Shows events; `view` is what they add up to."""

    view: TreeView

    def show(self, event: StreamEvent) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


class LiveProgress:
    """Redraws the tree in place, as large as the terminal allows."""

    def __init__(self, console: Console) -> None:
        self.view = TreeView()
        self._started = time.monotonic()
        self._live = Live(
            self, console=console, refresh_per_second=8, transient=False, vertical_overflow="crop"
        )

    def __enter__(self) -> Self:
        self._live.start(refresh=True)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._live.stop()

    def show(self, event: StreamEvent) -> None:
        self.view.apply(event)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        answer = _last_lines(self.view.answer, options.max_width, _ANSWER_LINES)
        taken = 2 + (answer.plain.count("\n") + 2 if answer else 0)
        lines = max(_MIN_TREE_LINES, console.height - taken)
        yield summary(self.view, time.monotonic() - self._started)
        yield draw(self.view, lines, options.max_width)
        if answer:
            yield Group(Text("answer so far", style="dim"), answer)


class LineProgress:
    """One plain line for each node that delegates or ends; for pipes and logs."""

    def __init__(self, console: Console) -> None:
        self.view = TreeView()
        self._console = console

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        return None

    def show(self, event: StreamEvent) -> None:
        self.view.apply(event)
        line = self._line(event)
        if line:
            self._console.print(
                f"{self.view.seconds:7.1f} s  {line}", markup=False, highlight=False, soft_wrap=True
            )

    def _line(self, event: StreamEvent) -> str:
        node, data = event.data.get("node"), event.data
        match event.type:
            case "node.spawned":
                return f"node {node} delegates to {data.get('children')} copies"
            case "node.finished":
                progress = f"{self.view.num_ended} of {len(self.view.nodes)}"
                return f"node {node} {data.get('status')} ({progress})"
            case "node.requeued":
                return f"node {node} is queued again: {data.get('reason')}"
            case "tree.cancelled" | "tree.finished":
                return f"{event.type.removeprefix('tree.')} {data.get('status', '')}".rstrip()
            case _:
                return ""


def make_progress(console: Console) -> Progress:
    """Live on a terminal, lines elsewhere."""
    return LiveProgress(console) if console.is_terminal else LineProgress(console)


def summary(view: TreeView, seconds: float) -> Text:
    """One line: how many nodes there are in each state."""
    counts = view.counts()
    text = Text(f"{len(view.nodes)} nodes", style="bold")
    for state in STATES:
        if counts[state]:
            text.append(f"  {_MARKS[state]} {counts[state]} {state}", style=STYLES[state])
    text.append(f"  {seconds:.1f} s", style="dim")
    return text


def draw(view: TreeView, max_lines: int, width: int) -> RenderableType:
    """The whole tree where it fits into `max_lines`, else one row of marks for each level."""
    if len(view.nodes) <= max_lines:
        return _branch(view, view.nodes[ROOT_PATH])
    return Group(*(_row(depth, level, width) for depth, level in enumerate(view.levels())))


def _branch(view: TreeView, node: NodeView) -> Tree:
    branch = Tree(_label(node), guide_style="bright_black")
    for child in view.children(node.path):
        branch.children.append(_branch(view, child))
    return branch


def _label(node: NodeView) -> Text:
    text = Text(f"{_MARKS[node.state]} {node.path} {node.state}", style=STYLES[node.state])
    if node.kind and node.outcome is None:
        text.append(f" {node.kind}", style="dim")
    return text


def _row(depth: int, level: list[NodeView], width: int) -> Text:
    """`depth 2   48  ■■■■▶▶··`: each mark stands for one node, or for several in a wide level."""
    text = Text(f"depth {depth} {len(level):5d}  ", style="dim")
    room = max(8, width - len(text.plain) - 1)
    step = -(-len(level) // room)
    for index in range(0, len(level), step):
        state = _least_done(level[index : index + step])
        text.append(_MARKS[state], style=STYLES[state])
    return text


def _least_done(nodes: list[NodeView]) -> NodeState:
    """The state that a reader should see of several nodes: trouble first, then what is going on."""
    order: tuple[NodeState, ...] = (
        "failed",
        "over_budget",
        "cancelled",
        "running",
        "queued",
        "waiting",
        "ok",
    )
    states = {node.state for node in nodes}
    return next(state for state in order if state in states)


def _last_lines(text: str, width: int, num_lines: int) -> Text:
    """The end of a text that is still growing, cut to whole screen lines."""
    lines: list[str] = []
    for line in text.splitlines():
        lines += [line[at : at + width] for at in range(0, len(line), width)] or [""]
    return Text("\n".join(lines[-num_lines:]))
