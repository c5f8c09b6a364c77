"""How long each program takes to be imported, in fresh processes whose bytecode is there already.

    python -m bench.start

Wall time and CPU are of the whole process, from its start to its end, interpreter included; modules
are those that it has imported at its end. The bytecode is in a folder of this command's own, which
a run that is not counted fills. For what is slow: `python -X importtime -c "import workers.app"`.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from banyan.local.programs import environment

_HELP = "import sys; from banyan.client.main import main; sys.argv = ['banyan', '--help']; main()"
PROGRAMS: Mapping[str, tuple[str, float | None]] = {
    "python": ("pass", None),
    "service": ("from service.__main__ import load; load()", 1.0),
    "worker": ("from workers.__main__ import load; load()", 1.0),
    "banyan --help": (_HELP, 0.3),
    "client": ("from banyan import Client", None),
}
"""What is run, and its goal in seconds."""
_COUNTS = "import atexit, sys; atexit.register(lambda: sys.stderr.write(str(len(sys.modules))));"


@dataclass(frozen=True, slots=True)
class Start:
    """Of one program: medians, and the slowest run."""

    program: str
    wall_s: float
    worst_s: float
    cpu_s: float
    modules: int
    goal_s: float | None


def measure(program: str, times: int, folder: Path) -> Start:
    """Run it once to fill `folder` with bytecode, then `times` times. Raises CalledProcessError."""
    code, goal_s = PROGRAMS[program]
    modules = int(_run(_COUNTS + code, folder))
    walls, cpus = [], []
    for _ in range(times):
        began, cpu_s = time.monotonic(), _children_cpu_s()
        _run(code, folder)
        walls.append(time.monotonic() - began)
        cpus.append(_children_cpu_s() - cpu_s)
    return Start(
        program=program,
        wall_s=round(statistics.median(walls), 3),
        worst_s=round(max(walls), 3),
        cpu_s=round(statistics.median(cpus), 3),
        modules=modules,
        goal_s=goal_s,
    )


def _run(code: str, folder: Path) -> str:
    """What it wrote to its standard error."""
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-P", "-c", code],
        env=_environment(folder),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=True,
    )
    return done.stderr


def _environment(folder: Path) -> dict[str, str]:
    """With bytecode, even where this process was told to write none."""
    base = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return environment({"PYTHONPYCACHEPREFIX": str(folder)}, base)


def _children_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> int:
    """Print a table; exit code 1 where a goal is missed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--times", type=int, default=10)
    parser.add_argument("--json", type=Path, help="write the results there")
    options = parser.parse_args()
    starts = []
    print("program        wall s  worst s   CPU s  modules  goal s")
    with tempfile.TemporaryDirectory(prefix="banyan-bench-") as folder:
        for program in PROGRAMS:
            start = measure(program, options.times, Path(folder))
            starts.append(start)
            print(
                f"{program:13}  {start.wall_s:6.3f}  {start.worst_s:7.3f}  {start.cpu_s:6.3f}  "
                f"{start.modules:7}  {start.goal_s or '':>6}",
                flush=True,
            )
    if options.json is not None:
        found = [asdict(start) for start in starts]
        options.json.write_text(json.dumps(found, indent=2), encoding="utf-8")
    missed = [start for start in starts if start.goal_s is not None and start.wall_s > start.goal_s]
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
