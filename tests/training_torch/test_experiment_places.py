"""Experiments where they are run: on a device, in calls of a few minutes, at the size for a GPU."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from training.experiments.command import device_of, measure
from training.experiments.errors import NoDevice, TimeUp
from training.experiments.preset import preset
from training.main import app
from training.tiny.model import ModelSize

TINY_GPU = replace(
    preset("gpu"),
    num_steps=60,
    num_seeds=1,
    num_eval_tasks=1,
    num_curve_tasks=1,
    curve_every_steps=20,
    num_groups=2,
    group_size=2,
    size=ModelSize(width=16, num_layers=1, num_heads=2),
    warmup=replace(preset("gpu").warmup, max_updates=2, num_solved=8, num_shown=4),
)


def test_an_experiment_that_runs_out_of_time_goes_on_from_there(tmp_path: Path) -> None:
    with pytest.raises(TimeUp, match="the time is up in the"):
        measure("maze", TINY_GPU, tmp_path, None, num_threads=1, minutes=1e-6)
    assert not list(tmp_path.rglob("result.json"))
    measure("maze", TINY_GPU, tmp_path, None, num_threads=1, minutes=60)
    found = [json.loads(path.read_bytes()) for path in tmp_path.rglob("result.json")]
    assert sorted(run["arm"] for run in found) == ["recursive", "single"]
    [report] = tmp_path.rglob("report.json")
    assert "--preset gpu" in report.read_text()


def test_a_device_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert device_of("cpu").type == "cpu"
    with pytest.raises(NoDevice, match="'nonsense'"):
        device_of("nonsense")
    done = CliRunner().invoke(
        app, ["experiment", "maze", "--device", "nonsense", "--out", str(tmp_path)]
    )
    assert (done.exit_code, "nonsense" in done.output) == (1, True)


def test_the_preset_for_a_gpu_has_a_model_that_cpus_are_too_slow_for() -> None:
    size, small = preset("gpu").size, preset("cpu").size
    assert size.width > small.width
    assert size.num_layers > small.num_layers
