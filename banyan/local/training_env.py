"""The trainer's own Python environment (torch, TRL), made from its lock file outside the clone.

The service's environment has no torch. A command that needs it calls `enter`, which goes on in this
environment. `BANYAN_TRAINING_VENV` names one that is already there.

    python -m banyan.local.training_env     makes it where it is missing and prints its Python
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

from banyan.local import programs
from banyan.local.cached_env import REQUIREMENTS, CachedEnv, CachedEnvironmentError, print_python

LOCK = REQUIREMENTS / "training.lock"

Execute = Callable[[str, list[str], Mapping[str, str]], object]


class TrainingEnvironmentError(CachedEnvironmentError):
    code = "training_environment"


def training_env() -> CachedEnv:
    """The environment; 0.4 GB to download, 1.3 GB on disk."""
    return CachedEnv(
        name="training",
        label="the trainer's environment",
        variable="BANYAN_TRAINING_VENV",
        lock_file=LOCK,
        size="0.4 GB",
        error=TrainingEnvironmentError,
    )


def enter(
    arguments: Sequence[str],
    environ: Mapping[str, str] = os.environ,
    *,
    cache: Path | None = None,
    execute: Execute = os.execve,
    has_torch: bool | None = None,
) -> None:
    """Go on as `banyan-train ARGUMENTS` in the trainer's environment; return where this is one.

    `has_torch` says whether this Python has torch (default: look). Raises TrainingEnvironmentError
    where the environment has not been made, and where the one that was entered has no torch.
    """
    if (find_spec("torch") is not None) if has_torch is None else has_torch:
        return
    python = training_env().find(environ, cache=cache)
    if python is None:
        raise TrainingEnvironmentError(
            "this needs torch, and the trainer's environment has not been made",
            hint="Run `make train-setup` (0.4 GB to download), or set BANYAN_TRAINING_VENV to an "
            'environment with "banyan-serve[training]".',
        )
    if python.parent.parent.resolve() == Path(sys.prefix).resolve():
        raise TrainingEnvironmentError(
            f"the environment {sys.prefix} has no torch",
            hint='Install "banyan-serve[training]" into it, or unset BANYAN_TRAINING_VENV.',
        )
    argv = [str(python), *programs.command("training", *arguments)[1:]]
    execute(argv[0], argv, programs.environment(base=environ))


if __name__ == "__main__":
    sys.exit(print_python(training_env))
