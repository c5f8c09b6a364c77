"""Report: what a run did, as a table, as JSON, and as a plot of reward over the turns."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from training.experiments.curves import Curve, Step, draw
from training.online.state import Iteration, Measured, RunState

_WIDTH = 110
"""Of the table where there is no terminal."""
_AXIS = "turns of the loop; mean reward on fresh tasks in %"


def table(state: RunState) -> Table:
    """One line a turn: what was made of what, how it was measured, what the gate said."""
    found = Table(title=f"run {state.run_id}", title_justify="left", pad_edge=False, box=None)
    for name in ("turn", "parent", "version", "gate"):
        found.add_column(name, no_wrap=True)
    for name in ("trees", "stale", "rollouts", "live", "candidate", "gain [95 %]", "gap", "s"):
        found.add_column(name, justify="right", no_wrap=True)
    for turn in state.iterations:
        seconds = turn.update_s + turn.evaluate_s + turn.publish_s
        found.add_row(
            *(str(turn.number), turn.parent, turn.version, turn.verdict),
            *(str(turn.num_trees), str(turn.staleness), f"{turn.rollout_reward:.3f}"),
            *(f"{turn.measured.live:.3f}", f"{turn.measured.candidate:.3f}"),
            *(gain(turn.measured), _gap(turn.logprob_gap), f"{seconds:.0f}"),
        )
    return found


def _gap(nats: float | None) -> str:
    """A dash where all rows were stale, which says nothing of the engine."""
    return "-" if nats is None else f"{nats:.3f}"


def table_console() -> Console:
    """For the table: as wide as the terminal, and where there is none, as the table is."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else _WIDTH)


def gain(measured: Measured) -> str:
    """`+0.120 [+0.050, +0.190]`."""
    return f"{measured.gain:+.3f} [{measured.low:+.3f}, {measured.high:+.3f}]"


def save(state: RunState, folder: Path, **more: Any) -> list[Path]:
    """`report.json` with the run and `more`, and `rewards.svg` where a turn is done."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / "report.json"]
    text = json.dumps({**state.model_dump(mode="json"), **more}, indent=1, allow_nan=False)
    paths[0].write_text(text + "\n", encoding="utf-8")
    if state.iterations:
        paths.append(folder / "rewards.svg")
        title = f"{state.plan.environment}: what is live, and what was made of it"
        image = draw(title, curves(state.iterations), axis=_AXIS, thousands=False)
        paths[1].write_text(image, encoding="utf-8")
    return paths


def curves(turns: Sequence[Iteration]) -> list[Curve]:
    """The live version at the beginning of each turn; the candidate with the gain's interval."""
    live = [Step(turn.number - 1, *(3 * [turn.measured.live])) for turn in turns]
    made = [_made(turn) for turn in turns]
    drawn = [Step(turn.number - 1, *(3 * [turn.rollout_reward])) for turn in turns]
    return [Curve("live", live), Curve("candidate", made), Curve("rollouts (sampled)", drawn)]


def _made(turn: Iteration) -> Step:
    found = turn.measured
    low, high = (min(1.0, max(0.0, found.live + end)) for end in (found.low, found.high))
    return Step(turn.number, found.candidate, low, high)
