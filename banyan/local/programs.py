"""Programs: how to start the project's own modules so that they are ours and no others.

`service`, `workers` and `training` are generic names. The interpreter would take a package of the
same name from the current folder or from site-packages first (an editable install comes last on
the path), so children get `-P` and a `PYTHONPATH` that begins with the folder `banyan` is in.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

import banyan

ROOT = Path(banyan.__file__).resolve().parent.parent
"""The folder that holds `banyan/`, `service/`, `workers/` and `training/`."""


def command(module: str, *arguments: str) -> list[str]:
    """The command line that runs `module` with this interpreter."""
    return [sys.executable, "-P", "-m", module, *arguments]


def environment(
    changes: Mapping[str, str] | None = None, base: Mapping[str, str] | None = None
) -> dict[str, str]:
    """`base` (default: this process's environment) with `changes`, and our packages first."""
    merged = dict(os.environ if base is None else base)
    merged.update(changes or {})
    others = [part for part in merged.get("PYTHONPATH", "").split(os.pathsep) if part]
    merged["PYTHONPATH"] = os.pathsep.join([str(ROOT), *(p for p in others if p != str(ROOT))])
    return merged


def train() -> None:
    """The command `banyan-train`: becomes the program `training`."""
    argv = command("training", *sys.argv[1:])
    os.execve(argv[0], argv, environment())  # noqa: S606 - the interpreter's own path, no shell
