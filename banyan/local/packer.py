"""Starts the packer server out of the engine's environment (`packer_server.py` is the program)."""

from __future__ import annotations

from pathlib import Path

from banyan.local.ports import LOOPBACK

_PROGRAM = Path(__file__).with_name("packer_server.py")


def command(
    python: Path, model: Path, port: int, *, host: str = LOOPBACK, scores: bool = False
) -> list[str]:
    """The command line; `model` is the folder that the engine serves."""
    address = ["--host", host, "--port", str(port)]
    argv = [str(python), str(_PROGRAM), "--model", str(model), *address]
    return [*argv, "--scores"] if scores else argv
