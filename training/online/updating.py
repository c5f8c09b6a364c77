"""Updating: one update as a process of its own, `banyan-train update`, which needs torch.

It is ended when the loop is, and goes on from its last checkpoint when the loop does.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path

from banyan.local import programs
from training.online.errors import UpdateFailed

_GRACE_S = 10.0


@dataclass(frozen=True, slots=True)
class Update:
    """What `banyan-train update` is given. `options` are the user's, behind the loop's own.

    `parent_folder`: the parent's weights, None where it is the model itself.
    """

    log: Path
    out: Path
    model: Path
    base: str
    policy: str
    parent: str
    parent_folder: Path | None
    max_staleness: int
    groups: str
    options: tuple[str, ...] = ()

    @property
    def is_full(self) -> bool:
        """Whether all weights are trained."""
        return "--full" in self.options

    def arguments(self) -> list[str]:
        """The command line behind `banyan-train`."""
        found = [
            *("update", str(self.log), "--model", str(self.model), "--out", str(self.out)),
            *("--base", self.base, "--policy", self.policy, "--parent", self.parent),
            *("--max-staleness", str(self.max_staleness), "--groups", self.groups, "--json"),
            *self.options,
        ]
        if self.parent_folder is not None:
            found += ["--weights" if self.is_full else "--adapter", str(self.parent_folder)]
        if self.out.with_name(f"{self.out.name}.run").joinpath("checkpoints").is_dir():
            found.append("--resume")
        return found


async def update(wanted: Update, errors: Path) -> None:
    """Make the version `wanted.out`, unless it is there. What it says on the way is in `errors`.

    Raises UpdateFailed.
    """
    if wanted.out.exists():
        return
    await asyncio.to_thread(errors.parent.mkdir, parents=True, exist_ok=True)
    with errors.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            *programs.command("training", *wanted.arguments()),
            env=programs.environment(),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=output,
        )
    try:
        said, _ = await process.communicate()
    except asyncio.CancelledError:
        await _end(process)
        raise
    if process.returncode:
        raise UpdateFailed(_why(said, process.returncode), hint=f"Its output: {errors}")


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), _GRACE_S)
        except TimeoutError:
            process.kill()
            await process.wait()


def _why(said: bytes, code: int | None) -> str:
    try:
        fields = json.loads(said)
        return f"the update failed ({fields['code']}): {fields['message']}"
    except (ValueError, LookupError, TypeError):
        return f"the update ended with exit code {code}"
