"""Experiments, at the smallest size: resumable, reported in full, and never mixed up."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import msgspec
import pytest
from typer.testing import CliRunner

from training.experiments.algebra import COMPARISON
from training.experiments.arm import Agent, ArmSpec, Phase, of_agent, run_arm
from training.experiments.command import measure
from training.experiments.credit import CREDIT
from training.experiments.curves import Curve, Step, draw
from training.experiments.efficiency import steps_to
from training.experiments.errors import OtherRun, UnknownExperiment, UnknownPreset
from training.experiments.preset import Preset, preset
from training.experiments.registry import chosen
from training.experiments.report import Report, write_part
from training.experiments.results import ArmResult, Point
from training.main import app
from training.tiny.errors import BadCheckpoint

SMOKE = replace(preset("smoke"), num_eval_tasks=2)
SPEC = ArmSpec(
    agent=Agent("recursive"),
    environment=COMPARISON.environment,
    train_difficulties=(1, 2),
    eval_difficulties=(1, 3),
    curve_difficulties=(2,),
)


NAMES = ("algebra", "depth", "efficiency", "gate", "credit", "unsuitable", "parallel")
"""The others are in `test_comparisons.py` and in files of their own."""


class Killed(Exception):
    """What stands for a kill in these tests."""


def quiet(phase: Phase, done: int, total: int) -> None:
    """Tells nobody."""


def without_time(result: ArmResult) -> ArmResult:
    cells = [msgspec.structs.replace(cell, wall_s=0.0) for cell in result.cells]
    return msgspec.structs.replace(result, train_s=0.0, cells=cells)


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which these experiments were measured once."""
    out = tmp_path_factory.mktemp("out")
    for name in NAMES:
        measure(name, SMOKE, out, out / "experiments.md", num_threads=1)
    return out


def test_a_run_that_was_killed_ends_as_one_that_was_not(tmp_path: Path) -> None:
    straight = run_arm(SPEC, 0, SMOKE, tmp_path / "straight", quiet)

    def kill(phase: Phase, done: int, total: int) -> None:
        if phase == "training" and done > total // 2 + 1:
            raise Killed

    with pytest.raises(Killed):
        run_arm(SPEC, 0, SMOKE, tmp_path / "killed", kill)
    phases: list[tuple[Phase, int, int]] = []
    resumed = run_arm(SPEC, 0, SMOKE, tmp_path / "killed", lambda *told: phases.append(told))
    assert "warm-up" not in {phase for phase, _, _ in phases}
    assert without_time(resumed) == without_time(straight)


def test_agents_that_begin_alike_are_warmed_up_once(tmp_path: Path) -> None:
    alone = run_arm(SPEC, 0, SMOKE, tmp_path / "alone" / "recursive-0", quiet)
    other = replace(SPEC, agent=Agent("other"))
    run_arm(other, 0, SMOKE, tmp_path / "both" / "other-0", quiet)
    phases: set[Phase] = set()

    second = run_arm(
        SPEC, 0, SMOKE, tmp_path / "both" / "recursive-0", lambda phase, *_: phases.add(phase)
    )

    assert phases == {"training", "evaluation"}
    assert without_time(second) == without_time(alone)


@pytest.mark.parametrize(
    ("spec", "seed", "more"),
    [
        (SPEC, 1, {}),
        (replace(SPEC, agent=Agent("single", alone=True)), 0, {}),
        (SPEC, 0, {"warmup": replace(SMOKE.warmup, learning_rate=1e-3)}),
    ],
)
def test_what_differs_has_a_warm_up_of_its_own(
    tmp_path: Path, spec: ArmSpec, seed: int, more: dict[str, Any]
) -> None:
    run_arm(SPEC, 0, SMOKE, tmp_path / "a", quiet)
    phases: set[Phase] = set()
    preset = replace(SMOKE, **more)
    run_arm(spec, seed, preset, tmp_path / "b", lambda phase, *_: phases.add(phase))
    assert "warm-up" in phases


def test_a_damaged_warm_start_is_named(tmp_path: Path) -> None:
    run_arm(SPEC, 0, SMOKE, tmp_path / "a", quiet)
    [kept] = tmp_path.glob("warm-start-*")
    kept.write_bytes(kept.read_bytes()[:100])
    with pytest.raises(BadCheckpoint, match="warm-start"):
        run_arm(SPEC, 0, SMOKE, tmp_path / "b", quiet)


def test_what_was_measured_is_read_and_not_measured_again(tmp_path: Path) -> None:
    first = run_arm(SPEC, 0, SMOKE, tmp_path / "run", quiet)
    told: list[tuple[Phase, int, int]] = []
    assert run_arm(SPEC, 0, SMOKE, tmp_path / "run", lambda *one: told.append(one)) == first
    assert told == []


def test_more_steps_go_on_from_where_it_ended(tmp_path: Path) -> None:
    first = run_arm(SPEC, 0, SMOKE, tmp_path / "run", quiet)
    more = run_arm(SPEC, 0, replace(SMOKE, num_steps=400), tmp_path / "run", quiet)
    assert more.num_steps >= 400 > first.num_steps
    assert more.curve[: len(first.curve)] == first.curve


def test_a_run_with_other_settings_is_not_taken_for_this_one(tmp_path: Path) -> None:
    run_arm(SPEC, 0, SMOKE, tmp_path / "run", quiet)
    with pytest.raises(OtherRun, match="other settings"):
        run_arm(SPEC, 0, replace(SMOKE, group_size=3), tmp_path / "run", quiet)


def test_a_damaged_result_is_named(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "result.json").write_text('{"arm": "recursive"')
    with pytest.raises(OtherRun, match=r"result\.json"):
        run_arm(SPEC, 0, SMOKE, tmp_path / "run", quiet)


def test_every_agent_gate_and_depth_has_its_figure_before_and_after(measured: Path) -> None:
    report = read_report(measured, "algebra")
    success = report.grids[0]
    assert len(success.rows) == 2 * 2 * 4
    assert all(len(row) == 3 + 8 for row in success.rows)
    assert {tuple(row[:3]) for row in success.rows} == {
        (agent, after, gate)
        for agent in ("recursive", "single")
        for after in ("warm-up", "RL")
        for gate in ("always", "never", "sampled", "threshold")
    }


def test_few_seeds_claim_nothing(measured: Path) -> None:
    report = read_report(measured, "algebra")
    assert "too few seeds" in report.verdict
    assert any("proves nothing" in note for note in report.notes)


def test_experiments_over_the_same_runs_share_them(measured: Path) -> None:
    kept = (measured / "runs/algebra/smoke").iterdir()
    places = {path.name for path in kept if path.is_dir()}
    agents = [*COMPARISON.agents, *CREDIT.comparison.agents]
    assert places == {f"{agent.name}-0" for agent in agents}
    assert len(places) == len(agents) - 1
    runs = {name: read_report(measured, name).grids[-1].rows for name in NAMES}
    assert runs["algebra"] == runs["depth"] == runs["efficiency"] == runs["gate"]
    assert runs["credit"][0] == runs["algebra"][0]


def test_the_page_has_each_part_once_however_often_it_is_written(measured: Path) -> None:
    page = measured / "experiments.md"
    before = page.read_text()
    write_part(page, read_report(measured, "depth"))
    assert page.read_text() == before
    for name in NAMES:
        assert before.count(f"<!-- begin {name} -->") == 1
        has_plot = (measured / "experiments" / f"{name}.svg").exists()
        assert has_plot == (name != "parallel")


def test_a_part_leaves_what_people_wrote_around_it(measured: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Ours\n\nWritten by hand.\n")
    write_part(page, read_report(measured, "gate"))
    assert page.read_text().startswith("# Ours\n\nWritten by hand.\n\n<!-- begin gate -->")


def test_the_plot_is_an_image_with_a_line_for_each_curve() -> None:
    steps = [Step(0, 0.1, 0.0, 0.2), Step(100, 0.9, 0.8, 1.0)]
    root = ET.fromstring(draw("a < b", [Curve("one", steps), Curve("two", steps)]))  # noqa: S314
    lines = root.findall("{http://www.w3.org/2000/svg}polyline")
    assert len(lines) == 2
    first, last = (point.split(",") for point in lines[0].attrib["points"].split())
    assert float(first[0]) < float(last[0])
    assert float(first[1]) > float(last[1])  # upwards is less in SVG


def test_nothing_to_draw_is_an_error() -> None:
    with pytest.raises(ValueError, match="nothing to draw"):
        draw("empty", [])


def test_a_target_is_reached_where_it_holds() -> None:
    curve = [(0, 0.2), (10, 0.8), (20, 0.4), (30, 0.8), (40, 0.9)]
    run = ArmResult(
        arm="recursive",
        seed=0,
        fingerprint="",
        num_parameters=1,
        base_skill=1.0,
        num_steps=40,
        cells=[],
        curve=[Point(steps, 4, success) for steps, success in curve],
        gradients=[],
        train_s=1.0,
    )
    assert steps_to(run, 0.7) == 30
    assert steps_to(run, 0.9) == 40
    assert steps_to(run, 0.95) is None


def test_unknown_names_are_refused_with_those_that_there_are() -> None:
    with pytest.raises(UnknownExperiment) as experiment:
        chosen("chess")
    assert "algebra" in experiment.value.hint
    with pytest.raises(UnknownPreset) as wanted:
        preset("huge")
    assert "cpu" in wanted.value.hint


def test_the_command_says_which_experiments_there_are() -> None:
    result = CliRunner().invoke(app, ["experiment", "chess", "--preset", "smoke"])
    assert result.exit_code == 1
    assert "algebra" in result.stderr


def test_the_fingerprint_is_of_what_a_run_depends_on() -> None:
    same: Preset = replace(SMOKE, num_steps=9, num_seeds=9)
    assert same.fingerprint == SMOKE.fingerprint
    assert replace(SMOKE, num_groups=3).fingerprint != SMOKE.fingerprint


def test_what_an_agent_sets_for_itself_is_in_the_fingerprint_of_its_runs() -> None:
    first, *others = CREDIT.comparison.agents
    assert of_agent(SMOKE, first).fingerprint == SMOKE.fingerprint
    prints = {of_agent(SMOKE, agent).fingerprint for agent in others}
    assert len(prints) == len(others)
    assert SMOKE.fingerprint not in prints


def test_dividing_a_chain_costs_more_steps_and_nodes_than_working_through_it(
    measured: Path,
) -> None:
    rows = {(row[0], row[1]): row for row in read_report(measured, "unsuitable").grids[0].rows}
    direct, divided = rows["direct", "never"], rows["recursive", "always"]
    assert direct[3:6] == ["17.0", "1.0", "17.0"]
    assert divided[3:5] == ["62.0", "31.0"]
    assert float(divided[5]) >= 62  # nothing runs at once


def test_credit_is_compared_on_the_same_trees_after_the_warm_up(measured: Path) -> None:
    spread = read_report(measured, "credit").grids[0]
    before = [row for row in spread.rows if row[1] == "warm-up"]
    nodes: dict[str, list[list[str]]] = {agent.name: [] for agent in CREDIT.comparison.agents}
    for row in before:
        nodes[row[0]].append(row[2:4])
    assert all(trees == nodes["recursive"] for trees in nodes.values())
    assert {row[5] for row in before if row[0] == "unweighted"} == {"1.00"}


def read_report(out: Path, name: str) -> Report:
    path = out / "reports" / f"{name}-smoke" / "report.json"
    return msgspec.json.decode(path.read_bytes(), type=Report)
