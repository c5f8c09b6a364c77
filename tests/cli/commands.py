"""The installed commands as subprocesses, in an environment that says nothing of this machine."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

BIN = Path(sys.executable).parent
BANYAN = str(BIN / "banyan")
_NAMES_OF_SERVERS = (
    "REDIS_URL",
    "BANYAN_URL",
    "BANYAN_REDIS_URL",
    "BANYAN_ENGINE_VENV",
    "BANYAN_API_KEY",
)


def environment(changes: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's environment, without servers that may be named in it, and `changes`."""
    env = {name: value for name, value in os.environ.items() if name not in _NAMES_OF_SERVERS}
    return {**env, "NO_COLOR": "1", "COLUMNS": "120", **(changes or {})}


def banyan(
    *arguments: str, env: Mapping[str, str] | None = None, stdin: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run `banyan` to its end."""
    return subprocess.run(  # noqa: S603 - our own command
        [BANYAN, *arguments],
        env=environment(env),
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
    )
