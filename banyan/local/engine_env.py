"""The engine's own Python environment, made from its lock file outside the clone.

Where an NVIDIA GPU is seen it is vLLM's GPU build, else the CPU build; `BANYAN_ENGINE_BUILD=cpu` or
`gpu` decides otherwise. `BANYAN_ENGINE_VENV` names an environment that is already there.

    python -m banyan.local.engine_env       makes it where it is missing and prints its Python
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from banyan.local.cached_env import (
    REQUIREMENTS,
    CachedEnv,
    CachedEnvironmentError,
    Report,
    print_python,
)

CPU_LOCK = REQUIREMENTS / "engine.lock"
GPU_LOCK = REQUIREMENTS / "engine-gpu.lock"
_GPU_DEVICE = Path("/dev/nvidiactl")


class EngineEnvironmentError(CachedEnvironmentError):
    code = "engine_environment"


def lock_for(environ: Mapping[str, str] = os.environ, *, gpu_device: Path = _GPU_DEVICE) -> Path:
    """The lock file of the build that fits this machine. Raises EngineEnvironmentError."""
    wanted = environ.get("BANYAN_ENGINE_BUILD") or ("gpu" if gpu_device.exists() else "cpu")
    if wanted not in {"cpu", "gpu"}:
        raise EngineEnvironmentError(
            f"BANYAN_ENGINE_BUILD={wanted}", hint="Set it to cpu or gpu, or leave it out."
        )
    return GPU_LOCK if wanted == "gpu" else CPU_LOCK


def env_for(lock_file: Path) -> CachedEnv:
    """The engine's environment that `lock_file` describes."""
    return CachedEnv(
        name="engine",
        label="the engine's environment",
        variable="BANYAN_ENGINE_VENV",
        lock_file=lock_file,
        size="several GB" if lock_file == GPU_LOCK else "0.6 GB",
        error=EngineEnvironmentError,
        cpu_torch=lock_file != GPU_LOCK,
    )


def find(environ: Mapping[str, str] = os.environ) -> Path | None:
    """The Python of the engine's environment, or None where it has not been made yet.

    Raises EngineEnvironmentError where `BANYAN_ENGINE_VENV` names a folder without a Python.
    """
    return env_for(lock_for(environ)).find(environ)


def ensure(report: Report, environ: Mapping[str, str] = os.environ) -> Path:
    """The Python of the engine's environment; makes the environment where it is missing.

    The CPU build is 0.6 GB to download and 3.6 GB on disk. `report` gets a sentence a step. Raises
    EngineEnvironmentError.
    """
    return env_for(lock_for(environ)).ensure(report, environ)


if __name__ == "__main__":
    sys.exit(print_python(lambda: env_for(lock_for())))
