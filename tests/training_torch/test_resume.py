"""A run that was killed goes on as if nothing had happened, to the last bit."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from banyan.local import programs
from tests.fixtures.waiting import wait_for
from tests.training_torch.rollouts import settings, write_rollouts
from tests.training_torch.tiny_llama import Scorer, write_model
from training.figures import StepFigures
from training.reporting import figures_of
from training.update import run_folder, update
from training.update_errors import OtherRun, RunExists

STEPS = 40
_LIMIT_S = 240.0


def losses(figures: list[StepFigures]) -> list[tuple[int, float, float, float]]:
    return [(each.step, each.loss, each.gradient_norm, each.threshold) for each in figures]


def kill_after(process: subprocess.Popen[bytes], out: Path, num_steps: int) -> None:
    """SIGKILL once that many steps were written down."""
    wait_for(
        lambda: process.poll() is not None or len(figures_of(run_folder(out))) >= num_steps,
        f"step {num_steps}",
        _LIMIT_S,
    )
    assert process.poll() is None, "it ended before it could be killed"
    process.kill()


@pytest.mark.parametrize("lora_rank", [0, 4], ids=["full", "lora"])
def test_a_killed_run_goes_on_bit_for_bit(tmp_path: Path, lora_rank: int) -> None:
    model = write_model(tmp_path / "tiny")
    log = write_rollouts(tmp_path / "log", Scorer.of(model))
    found = settings(model, lora_rank=lora_rank, step_rows=2, save_every=3, epochs=STEPS // 4)
    update(log, tmp_path / "whole", found)
    expected = figures_of(run_folder(tmp_path / "whole"))
    assert len(expected) == STEPS

    out = tmp_path / "killed"
    script = (
        "import sys, torch; from pathlib import Path; torch.set_num_threads(1)\n"
        "from tests.training_torch.rollouts import settings\n"
        "from training.update import update\n"
        "log, out, model = map(Path, sys.argv[1:])\n"
        f"found = settings(model, lora_rank={lora_rank}, step_rows=2, save_every=3, "
        f"epochs={STEPS // 4})\n"
        "update(log, out, found)\n"
    )
    process = subprocess.Popen(  # noqa: S603 - our own script
        [sys.executable, "-c", script, str(log), str(out), str(model)],
        env=programs.environment(),
        stderr=subprocess.DEVNULL,
    )
    try:
        kill_after(process, out, 8)
    finally:
        process.kill()
        code = process.wait()
    assert code < 0
    assert not out.exists()

    with pytest.raises(RunExists):
        update(log, out, found)
    with pytest.raises(OtherRun):
        update(log, out, settings(model, lora_rank=lora_rank, step_rows=3), resume=True)
    result = update(log, out, found, resume=True)
    assert result["resumed_at"] is not None
    assert 6 <= result["resumed_at"] < STEPS
    assert result["resumed_at"] % 3 == 0
    assert losses(figures_of(run_folder(out))) == losses(expected)
    for name in ("model.safetensors", "adapter_model.safetensors"):
        if (out / name).exists():
            assert (out / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
