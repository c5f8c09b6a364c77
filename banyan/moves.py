"""Moves: every change of the registry, as a function from one registry to the next. Pure.

Moving a version is two steps. `want` says where it shall go; the swapper loads it on every replica
and proves it; then `arrive` moves the pointer, or `give_up` leaves it where it was and says why.
"""

from __future__ import annotations

from typing import Any

from banyan.errors import Conflict, NotFound, WrongBaseModel
from banyan.manifest import BaseModelId, Manifest
from banyan.registry import Line, Registry, Version, Wanted
from banyan.versions import State, moved

PREFIX = "policy-v"


def check_base(registry: Registry, manifest: Manifest, served: BaseModelId | None) -> None:
    """Raise WrongBaseModel unless the manifest's base model is the served one.

    Where nobody said which that is, the first version of a policy does. Raises Conflict for weights
    of another kind than that one's, and NotFound for a parent that is no version.
    """
    expected = served or registry.line(manifest.policy).base
    if expected is not None and manifest.base != expected:
        raise WrongBaseModel(
            f"these weights are of {manifest.base.name} ({manifest.base.fingerprint[:12]}), "
            f"{manifest.policy} is {expected.name} ({expected.fingerprint[:12]})"
        )
    kind = registry.line(manifest.policy).kind
    if kind not in {None, manifest.kind}:
        raise Conflict(
            f"{manifest.policy} has versions of the kind {kind}, these weights are {manifest.kind}",
            hint="All versions of a policy are of one kind; publish these under another policy.",
        )
    parent = manifest.parent
    if parent != manifest.policy and parent not in registry.versions:
        raise NotFound(f"there is no version {parent}, which these weights name as their parent")


def publish(registry: Registry, manifest: Manifest, now: float) -> tuple[Registry, str]:
    """A new version, staged, with the next number. Check its base and its files before."""
    number = registry.num_published + 1
    version = f"{PREFIX}{number}"
    line = registry.line(manifest.policy).model_copy(
        update={"base": manifest.base, "kind": manifest.kind}
    )
    record = Version(
        version=version,
        policy=manifest.policy,
        kind=manifest.kind,
        parent=manifest.parent,
        state="staged",
        changed_at=now,
        changes=manifest.changes(),
    )
    published = registry.changed((manifest.policy, line), record)
    return published.model_copy(update={"num_published": number}), version


def judge(registry: Registry, version: str, reasons: tuple[str, ...], now: float) -> Registry:
    """A staged version becomes verified, or rejected with the reasons."""
    registry.version(version)
    to: State = "rejected" if reasons else "verified"
    return registry.changed(None, *registry.moved(version, to, now, *reasons))


def want(registry: Registry, version: str, share: float) -> Registry:
    """Ask for a version to become live, or the canary of a share of new trees.

    Raises NotFound and Conflict: for states that do not allow it, and while another move of the
    same policy is under way.
    """
    known = registry.version(version)
    line = registry.line(known.policy)
    if not (known.state == "canary" and share < 1):
        moved(version, known.state, "live" if share == 1 else "canary")
    if line.wanted is not None and line.wanted.version != version:
        raise Conflict(
            f"{line.wanted.version} is being moved",
            hint="Wait until it has arrived, or roll it back.",
        )
    wanted = Wanted(version=version, share=share)
    return registry.changed((known.policy, line.model_copy(update={"wanted": wanted})))


def arrive(registry: Registry, version: str, now: float) -> Registry:
    """The wanted version is loaded and proved everywhere: move the pointer, or the share.

    Raises Conflict where it is not wanted any more.
    """
    known, line, wanted = _wanted(registry, version)
    if wanted.share < 1:
        displaced = line.canary if line.canary != version else None
        changes: dict[str, Any] = {"canary": version, "share": wanted.share, "wanted": None}
        states = () if known.state == "canary" else registry.moved(version, "canary", now)
    else:
        displaced = line.canary if line.canary != version else None
        changes = {"live": version, "previous": line.live, "wanted": None}
        changes |= {"canary": None, "share": 0.0}
        states = registry.moved(version, "live", now) + registry.moved(line.live, "retired", now)
    if displaced is not None:
        states += registry.moved(displaced, "retired", now)
    return registry.changed((known.policy, line.model_copy(update=changes)), *states)


def give_up(
    registry: Registry, version: str, reasons: tuple[str, ...], now: float, *, reject: bool
) -> Registry:
    """The wanted version did not arrive: the pointer stays. `reject` where it was not proved."""
    known, line, _ = _wanted(registry, version)
    line = line.model_copy(update={"wanted": None})
    if reject:
        return _rejected(registry, known, line, reasons, now)
    told = known.model_copy(update={"reasons": reasons, "changed_at": now})
    return registry.changed((known.policy, line), told)


def roll_back(registry: Registry, version: str, now: float) -> Registry:
    """Take a version back at once: a move under way stops, a canary retires, a live one gives way.

    Raises NotFound, and Conflict where the version is not in service or nothing came before it.
    """
    known = registry.version(version)
    line = registry.line(known.policy)
    if line.wanted is not None and line.wanted.version == version:
        return registry.changed((known.policy, line.model_copy(update={"wanted": None})))
    if line.canary == version:
        line = line.model_copy(update={"canary": None, "share": 0.0})
        return registry.changed((known.policy, line), *registry.moved(version, "retired", now))
    if line.live != version or line.previous is None:
        raise Conflict(
            f"{version} is {known.state}; there is nothing to roll back",
            hint="See `banyan policies list` for the version that is live.",
        )
    back = {"live": line.previous, "previous": None}
    states = registry.moved(version, "retired", now) + registry.moved(line.previous, "live", now)
    return registry.changed((known.policy, line.model_copy(update=back)), *states)


def reject(registry: Registry, version: str, reasons: tuple[str, ...], now: float) -> Registry:
    """Never serve a version (again). Raises NotFound, and Conflict for one that is live."""
    known = registry.version(version)
    line = registry.line(known.policy)
    if line.wanted is not None and line.wanted.version == version:
        line = line.model_copy(update={"wanted": None})
    return _rejected(registry, known, line, reasons, now)


def _rejected(
    registry: Registry, known: Version, line: Line, reasons: tuple[str, ...], now: float
) -> Registry:
    if line.canary == known.version:
        line = line.model_copy(update={"canary": None, "share": 0.0})
    if line.previous == known.version:
        line = line.model_copy(update={"previous": None})
    states = registry.moved(known.version, "rejected", now, *reasons)
    return registry.changed((known.policy, line), *states)


def _wanted(registry: Registry, version: str) -> tuple[Version, Line, Wanted]:
    known = registry.version(version)
    line = registry.line(known.policy)
    if line.wanted is None or line.wanted.version != version:
        raise Conflict(f"{version} is not wanted any more", hint="Nothing was moved.")
    return known, line, line.wanted
