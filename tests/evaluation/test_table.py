"""What people see: percents, intervals, dashes where there is nothing, and a picture."""

from __future__ import annotations

import io
from pathlib import Path

from rich.console import Console

from banyan.evaluation.code import code_mark
from banyan.evaluation.display import progress_bars
from banyan.evaluation.measure import BITS_PER_BYTE
from banyan.evaluation.plan import SERVICE
from banyan.evaluation.plot import write_plot
from banyan.evaluation.summary import Summary, summarise
from banyan.evaluation.table import percent, render, thousands
from tests.evaluation.makers import answered, record

COST = answered("yes", prompt_tokens=12_345, completion_tokens=55, coverage=0.5, seconds=3.0)


def summary() -> Summary:
    return summarise(
        "textcraft",
        [
            record("q1", SERVICE, 1.0, parts={"valid": 0.5, "steps": 7.0}, answered=COST),
            record("q1", "head", 0.0, answered=answered(None, status="failed")),
            record("q2", SERVICE, 0.0, bucket="two", answered=COST),
            record("q2", "head", 0.0, bucket="two", answered=COST, engine_peak_bytes=3 * 2**29),
        ],
    )


def shown(one: Summary) -> list[list[str]]:
    """The words of each line."""
    out = io.StringIO()
    Console(file=out, width=120).print(render(one))
    return [line.split() for line in out.getvalue().splitlines() if line.strip()]


def test_a_table_tells_scores_in_percent_and_parts() -> None:
    lines = shown(summary())
    first = "one banyan 1 100.0 100.0..100.0 - - valid 50.0 steps 7.0"
    assert first.split() in lines
    assert ["one", "head", "1", "0.0", "0.0..0.0", "-", "1"] in lines


def test_a_table_tells_costs_and_differences() -> None:
    lines = shown(summary())
    costs = ["two", "head", "124.00", "12.3k", "0", "55", "0.0", "1.0", "0.0", "3.0", "0", "-"]
    assert [*costs, "50%", "1.50G"] in lines
    assert ["one", "banyan", "-", "head", "1", "+100.0", "100.0..100.0"] in lines


def test_a_table_tells_how_valid_actions_were_where_there_were_any() -> None:
    one = answered("yes", actions=3, invalid_actions=1, retries=1, determined_actions=2)
    lines = shown(summarise("maze", [record("q1", SERVICE, 1.0, answered=one)]))
    assert ["one", "banyan", "3", "66.7%", "25.0", "2"] in lines
    assert not any("determined" in line for line in shown(summary()))


def test_bits_per_byte_are_no_percents() -> None:
    records = [record("q1", "truncation", 1.25), record("q1", "nothing", 1.5)]
    lines = shown(
        summarise("books_lm", records, measure=BITS_PER_BYTE, notes=("forms that were run",))
    )
    assert ["books_lm:", "bits", "per", "byte"] in lines
    assert ["one", "nothing", "1", "1.5000", "1.5000..1.5000", "-", "-"] in lines
    assert ["one", "nothing", "-", "truncation", "1", "+0.2500", "0.2500..0.2500"] in lines
    assert lines[-1] == ["forms", "that", "were", "run"]


def test_numbers_are_short() -> None:
    assert [thousands(n) for n in (999, 1_500, 2_500_000)] == ["999", "1.5k", "2.5M"]
    assert (percent(None), percent(0.999)) == ("-", "100%")


def test_a_plot_is_drawn_without_a_display(tmp_path: Path) -> None:
    path = tmp_path / "plots" / "set.png"
    write_plot(summary(), path)
    assert path.read_bytes().startswith(b"\x89PNG")


def test_answers_of_an_earlier_state_of_the_code_are_counted() -> None:
    out = io.StringIO()
    with progress_bars(Console(file=out)) as hooks:
        hooks.begin("examples", 2)
        hooks.record(record("q1", "head", 1.0, code="0123456789ab"))
        hooks.record(record("q2", "head", 1.0, code=code_mark()))
    assert "examples head q1 100.0 in" in out.getvalue()
    assert "1 of these answers were made before the code changed" in out.getvalue()
