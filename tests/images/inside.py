"""Looks around in an image, and prints what it sees as JSON: runs there, with the image's Python.

    python -P inside.py MODULE MODULE ...

The modules are imported. Only the standard library is used.
"""

from __future__ import annotations

import importlib
import json
import os
import shutil
import subprocess
import sys
from importlib.metadata import distributions
from importlib.util import find_spec
from pathlib import Path

TOOLS = (
    "pip",
    "uv",
    "wheel",
    "gcc",
    "cc",
    "g++",
    "c++",
    "ld",
    "as",
    "make",
    "cmake",
    "cargo",
    "git",
)
MODULES = ("pip", "setuptools", "wheel", "uv")
_ASK = f"from importlib.util import find_spec as f; print(*[m for m in {MODULES!r} if f(m)])"


def main() -> None:
    """Print it."""
    for name in sys.argv[1:]:
        importlib.import_module(name)
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    base = subprocess.run(  # noqa: S603  # the Python below this one
        [sys._base_executable, "-I", "-c", _ASK],  # type: ignore[attr-defined]
        capture_output=True,
        text=True,
        check=True,
    )
    sbom = json.loads(Path(sys.prefix, "sbom.cdx.json").read_text(encoding="utf-8"))
    seen = {
        "user": [os.getuid(), os.getgid()],
        "capabilities": [line.split()[1] for line in status.splitlines() if line[:3] == "Cap"],
        "writable": sorted(_writable()),
        "tools": [name for name in TOOLS if shutil.which(name)],
        "modules": [*filter(find_spec, MODULES), *base.stdout.split()],
        "sources": [place for place in ("/src", "/opt/sbom") if Path(place).exists()],
        "installed": sorted({(one.name.lower(), one.version) for one in distributions()}),
        "listed": sorted((one["name"].lower(), one["version"]) for one in sbom["components"]),
    }
    sys.stdout.write(json.dumps(seen))


def _writable() -> set[str]:
    """The uppermost folders that this user may write into."""
    found: set[str] = set()
    for place, folders, _ in os.walk("/"):
        if place == "/":
            folders[:] = [name for name in folders if name not in {"dev", "proc", "sys"}]
        if os.access(place, os.W_OK):
            found.add(place)
            folders.clear()
    return found


if __name__ == "__main__":
    main()
