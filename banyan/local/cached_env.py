"""Python environments of their own, made from lock files outside the clone.

Each is keyed by its lock file's content, built beside its final place and renamed into it, so that
a build that was cut short is never used and two builders never see each other's half.
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
from dataclasses import dataclass
from pathlib import Path

from banyan.local.errors import Missing

PYTHON_VERSION = "3.11"
REQUIREMENTS = Path(__file__).resolve().parents[2] / "requirements"

Report = Callable[[str], None]


class CachedEnvironmentError(Missing):
    code = "environment"
    hint = "Look at the output above; the package index must be reachable for the first build."


def cache_dir(environ: Mapping[str, str] = os.environ) -> Path:
    """Where things that are costly to make are kept between runs: `~/.cache/banyan`."""
    base = environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "banyan"


@dataclass(frozen=True, slots=True)
class CachedEnv:
    """An environment that is made once and kept.

    `name` begins its folder's name, `label` names it in sentences. The environment variable
    `variable` may name one that is there already, `size` is what is downloaded, `error` is raised.
    """

    name: str
    label: str
    variable: str
    lock_file: Path
    size: str
    error: type[CachedEnvironmentError]
    cpu_torch: bool = True
    """`torch` is the CPU build, which has an index of its own."""

    def folder(self, cache: Path | None = None) -> Path:
        """Where it is kept; the name carries the hash of the lock file."""
        digest = hashlib.sha256(self.lock_file.read_bytes()).hexdigest()[:16]
        return (cache or cache_dir()) / f"{self.name}-{digest}"

    def find(
        self, environ: Mapping[str, str] = os.environ, *, cache: Path | None = None
    ) -> Path | None:
        """Its Python, or None where it has not been made yet.

        Raises `error` where `variable` names a folder without a Python.
        """
        given = environ.get(self.variable)
        if given:
            python = Path(given) / "bin" / "python"
            if not python.exists():
                raise self.error(f"{self.variable}={given} has no bin/python")
            return python
        python = self.folder(cache) / "bin" / "python"
        return python if python.exists() else None

    def ensure(
        self,
        report: Report,
        environ: Mapping[str, str] = os.environ,
        *,
        cache: Path | None = None,
        uv: str | None = None,
    ) -> Path:
        """Its Python; makes it where it is missing. `report` gets a sentence a step.

        Raises `error`.
        """
        found = self.find(environ, cache=cache)
        if found is not None:
            return found
        target = self.folder(cache)
        target.parent.mkdir(parents=True, exist_ok=True)
        with _locked(target.with_suffix(".lock")):
            if not target.exists():  # another process may have made it while this one waited
                self._build(target, uv or self._find_uv(environ), environ, report)
        return target / "bin" / "python"

    def sync_arguments(self, uv: str, python: Path, environ: Mapping[str, str]) -> list[str]:
        """The command that installs exactly what the lock file says.

        torch's CPU build comes from the folder in `PIP_FIND_LINKS` where there is one, else from
        PyTorch's CPU index.
        """
        command = [uv, "pip", "sync", "--python", str(python)]
        command += ["--require-hashes", str(self.lock_file)]
        if not self.cpu_torch:
            return command
        links = environ.get("PIP_FIND_LINKS", "").split()
        if not links:
            return [*command, "--torch-backend", "cpu"]
        for link in links:
            command += ["--find-links", link]
        return command

    def _build(self, target: Path, uv: str, environ: Mapping[str, str], report: Report) -> None:
        """Build in a folder beside `target`, relocatable, then rename it into place."""
        building = Path(tempfile.mkdtemp(prefix=f".{self.name}-", dir=target.parent))
        try:
            report(f"making {self.label} in {target} ({self.size} to download)")
            venv = [uv, "venv", "--quiet", "--relocatable", "--python", PYTHON_VERSION]
            self._run([*venv, str(building)])
            self._run(self.sync_arguments(uv, building / "bin" / "python", environ))
            building.rename(target)
        finally:
            shutil.rmtree(building, ignore_errors=True)
        report(f"{self.label} is ready")

    def _find_uv(self, environ: Mapping[str, str]) -> str:
        """The `uv` beside this Python, else the one on PATH."""
        beside = Path(sys.executable).parent / "uv"
        found = str(beside) if beside.exists() else shutil.which("uv", path=environ.get("PATH"))
        if found is None:
            raise self.error("uv is not installed", hint="Run `make setup` first.")
        return found

    def _run(self, command: list[str]) -> None:
        done = subprocess.run(  # noqa: S603  # our own command line, no shell
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
        )
        if done.returncode:
            tail = "\n".join(done.stdout.strip().splitlines()[-15:])
            raise self.error(f"{' '.join(command[:3])} failed:\n{tail}")


def print_python(env: Callable[[], CachedEnv]) -> int:
    """Command line of an environment's module: make it where it is missing, print its Python.

    Returns the exit status.
    """
    try:
        python = env().ensure(lambda sentence: print(sentence, file=sys.stderr))  # noqa: T201
    except CachedEnvironmentError as error:
        sys.stderr.write(f"{error}\n{error.hint}\n")
        return error.exit_code
    sys.stdout.write(f"{python}\n")
    return 0


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold an advisory lock on `path`; it ends with the process, however that ends."""
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
