"""The engine's own Python environment, made from its lock file outside the clone.

It is keyed by the lock file's content, built beside its final place and renamed into it, so that a
build that was cut short is never used and two builders never see each other's half. Where an NVIDIA
GPU is seen it is vLLM's GPU build, else the CPU build; `BANYAN_ENGINE_BUILD=cpu` or `gpu` decides
otherwise. `BANYAN_ENGINE_VENV` names an environment that is already there.

    python -m banyan.local.engine_env       makes it where it is missing and prints its Python
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from banyan.local.errors import Missing

PYTHON_VERSION = "3.11"
_REQUIREMENTS = Path(__file__).resolve().parents[2] / "requirements"
CPU_LOCK = _REQUIREMENTS / "engine.lock"
GPU_LOCK = _REQUIREMENTS / "engine-gpu.lock"
_GPU_DEVICE = Path("/dev/nvidiactl")

Report = Callable[[str], None]


class EngineEnvironmentError(Missing):
    code = "engine_environment"
    hint = "Look at the output above; the package index must be reachable for the first build."


def cache_dir(environ: Mapping[str, str] = os.environ) -> Path:
    """Where things that are costly to make are kept between runs: `~/.cache/banyan`."""
    base = environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "banyan"


def lock_for(environ: Mapping[str, str] = os.environ, *, gpu_device: Path = _GPU_DEVICE) -> Path:
    """The lock file of the build that fits this machine. Raises EngineEnvironmentError."""
    wanted = environ.get("BANYAN_ENGINE_BUILD") or ("gpu" if gpu_device.exists() else "cpu")
    if wanted not in {"cpu", "gpu"}:
        raise EngineEnvironmentError(
            f"BANYAN_ENGINE_BUILD={wanted}", hint="Set it to cpu or gpu, or leave it out."
        )
    return GPU_LOCK if wanted == "gpu" else CPU_LOCK


def engine_dir(lock_file: Path, cache: Path | None = None) -> Path:
    """The environment's folder; its name carries the hash of the lock file."""
    digest = hashlib.sha256(lock_file.read_bytes()).hexdigest()[:16]
    return (cache or cache_dir()) / f"engine-{digest}"


def find(
    environ: Mapping[str, str] = os.environ,
    *,
    lock_file: Path | None = None,
    cache: Path | None = None,
) -> Path | None:
    """The Python of the engine's environment, or None where it has not been made yet.

    Raises EngineEnvironmentError where `BANYAN_ENGINE_VENV` names a folder without a Python.
    """
    given = environ.get("BANYAN_ENGINE_VENV")
    if given:
        python = Path(given) / "bin" / "python"
        if not python.exists():
            raise EngineEnvironmentError(f"BANYAN_ENGINE_VENV={given} has no bin/python")
        return python
    python = engine_dir(lock_file or lock_for(environ), cache) / "bin" / "python"
    return python if python.exists() else None


def ensure(
    report: Report,
    environ: Mapping[str, str] = os.environ,
    *,
    lock_file: Path | None = None,
    cache: Path | None = None,
    uv: str | None = None,
) -> Path:
    """The Python of the engine's environment; makes the environment where it is missing.

    The CPU build is 0.6 GB to download and 3.6 GB on disk. `report` gets a sentence a step. Raises
    EngineEnvironmentError.
    """
    lock_file = lock_file or lock_for(environ)
    found = find(environ, lock_file=lock_file, cache=cache)
    if found is not None:
        return found
    target = engine_dir(lock_file, cache)
    target.parent.mkdir(parents=True, exist_ok=True)
    with _locked(target.with_suffix(".lock")):
        if not target.exists():  # another process may have made it while this one waited
            _build(target, uv or find_uv(environ), lock_file, environ, report)
    return target / "bin" / "python"


def sync_arguments(uv: str, python: Path, lock_file: Path, environ: Mapping[str, str]) -> list[str]:
    """The command that installs exactly what the lock file says.

    For the CPU `torch` has a build of its own: from the folder in `PIP_FIND_LINKS` where there is
    one, else from PyTorch's CPU index.
    """
    command = [uv, "pip", "sync", "--python", str(python), "--require-hashes", str(lock_file)]
    if lock_file == GPU_LOCK:
        return command
    links = environ.get("PIP_FIND_LINKS", "").split()
    if not links:
        return [*command, "--torch-backend", "cpu"]
    for link in links:
        command += ["--find-links", link]
    return command


def _build(
    target: Path, uv: str, lock_file: Path, environ: Mapping[str, str], report: Report
) -> None:
    """Build in a folder beside `target`, relocatable, then rename it into place."""
    building = Path(tempfile.mkdtemp(prefix=".engine-", dir=target.parent))
    try:
        size = "several GB" if lock_file == GPU_LOCK else "0.6 GB"
        report(f"making the engine's environment in {target} ({size} to download)")
        _run([uv, "venv", "--quiet", "--relocatable", "--python", PYTHON_VERSION, str(building)])
        _run(sync_arguments(uv, building / "bin" / "python", lock_file, environ))
        building.rename(target)
    finally:
        shutil.rmtree(building, ignore_errors=True)
    report("the engine's environment is ready")


def find_uv(environ: Mapping[str, str] = os.environ) -> str:
    """The `uv` beside this Python, else the one on PATH."""
    beside = Path(sys.executable).parent / "uv"
    found = str(beside) if beside.exists() else shutil.which("uv", path=environ.get("PATH"))
    if found is None:
        raise EngineEnvironmentError("uv is not installed", hint="Run `make setup` first.")
    return found


def _run(command: list[str]) -> None:
    done = subprocess.run(  # noqa: S603  # our own command line, no shell
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if done.returncode:
        tail = "\n".join(done.stdout.strip().splitlines()[-15:])
        raise EngineEnvironmentError(f"{' '.join(command[:3])} failed:\n{tail}")


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold an advisory lock on `path`; it ends with the process, however that ends."""
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def main() -> int:
    """Command line of the module; returns the exit status."""
    try:
        python = ensure(_tell)
    except EngineEnvironmentError as error:
        sys.stderr.write(f"{error}\n{error.hint}\n")
        return error.exit_code
    sys.stdout.write(f"{python}\n")
    return 0


def _tell(sentence: str) -> None:
    sys.stderr.write(f"{sentence}\n")


if __name__ == "__main__":
    sys.exit(main())
