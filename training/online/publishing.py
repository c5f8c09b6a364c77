"""Publishing: what was measured goes into the manifest, and the version to the service's gate.

Publishing has no key by which it could be repeated; a version that was published before a kill is
known by its manifest.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Protocol

from banyan.adapters.policy_folder import read_manifest
from banyan.client.policies import PolicyDetail, PolicyList, PolicyVersion
from banyan.manifest import FILE_NAME, Evaluation, Manifest

_POLL_S = 1.0


class Registry(Protocol):
    """What `banyan.client.policy_admin.PolicyAdmin` does for the loop. Blocks."""

    def list(self) -> PolicyList: ...
    def get(self, version: str) -> PolicyDetail: ...
    def publish(self, directory: str) -> PolicyVersion: ...
    def promote(self, version: str) -> PolicyVersion: ...


def evaluated(folder: Path, live: str) -> Evaluation | None:
    """What was measured of a version against `live`; None where that is still to be done."""
    evaluation = read_manifest(folder).evaluation
    return evaluation if evaluation.candidate and evaluation.live_version == live else None


def write_evaluation(folder: Path, evaluation: Evaluation) -> Manifest:
    """The manifest with what was measured, which takes its place whole."""
    manifest = read_manifest(folder).model_copy(update={"evaluation": evaluation})
    beside = folder.with_name(f".{folder.name}.{FILE_NAME}")
    with beside.open("w", encoding="utf-8") as file:
        file.write(manifest.model_dump_json(indent=1))
        file.flush()
        os.fsync(file.fileno())
    beside.replace(folder / FILE_NAME)
    return manifest


async def live_version(registry: Registry, policy: str) -> str:
    """The version that new solves of the policy get; its own name: its own weights."""
    line = (await asyncio.to_thread(registry.list)).policies.get(policy)
    return line.live if line else policy


async def publish(registry: Registry, policies: Path, folder: Path) -> PolicyVersion:
    """The version that `folder`, which lies in `policies`, is or becomes: verified or rejected."""
    manifest = read_manifest(folder)
    for known in reversed((await asyncio.to_thread(registry.list)).versions):
        if known.parent != manifest.parent or known.policy != manifest.policy:
            continue
        detail = await asyncio.to_thread(registry.get, known.version)
        if detail.manifest == manifest:
            return known
    return await asyncio.to_thread(registry.publish, folder.relative_to(policies).as_posix())


async def promote(registry: Registry, version: str, *, within_s: float) -> PolicyVersion:
    """Ask for a verified version to go live; how it stands when it has moved, or at the latest."""
    clock = asyncio.get_running_loop().time
    give_up_at = clock() + within_s
    known = await asyncio.to_thread(registry.promote, version)
    while known.state == "verified" and not known.reasons and clock() < give_up_at:
        await asyncio.sleep(_POLL_S)
        known = await asyncio.to_thread(registry.get, version)
    return known
