"""An update on two processes, started by torch's own launcher, is the update of one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from banyan.local import programs
from tests.training_torch.rollouts import write_rollouts
from tests.training_torch.tiny_llama import Scorer, write_model
from training.reporting import figures_of
from training.update import run_folder

_LAUNCH = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")
_ON_CPUS = {"ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": "1"}


@pytest.mark.timeout(600)
def test_two_processes_share_the_rows_and_make_one_version(tmp_path: Path) -> None:
    model = write_model(tmp_path / "tiny")
    log = write_rollouts(tmp_path / "log", Scorer.of(model), num_pairs=4)
    found = {}
    for name, launch in (("one", ()), ("two", _LAUNCH)):
        out = tmp_path / name
        options = ("--full", "--lr", "3e-3", "--epochs", "2", "--step-rows", "6")
        subprocess.run(  # noqa: S603 - our own program
            [
                *(sys.executable, *launch, "-m", "training", "update", str(log)),
                *("--model", str(model), "--base", "tiny", "--out", str(out), *options),
                *("--micro-tokens", "8"),
            ],
            env=programs.environment(_ON_CPUS, os.environ),
            check=True,
            capture_output=True,
        )
        found[name] = figures_of(run_folder(out))
        assert (out / "manifest.json").is_file()
    assert len(found["one"]) == len(found["two"]) > 2
    for one, two in zip(found["one"], found["two"], strict=True):
        assert two.num_tokens == one.num_tokens
        assert two.loss == pytest.approx(one.loss, abs=1e-5)
        assert two.gradient_norm == pytest.approx(one.gradient_norm, rel=1e-3)
        assert two.threshold == pytest.approx(one.threshold, abs=1e-5)
