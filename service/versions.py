"""Versions: what callers see of the registry, and the publisher that the settings make."""

from __future__ import annotations

from banyan.adapters.policy_folder import PolicyFolder
from banyan.adapters.publishing import Publisher
from banyan.client.policies import PolicyLine, PolicyList, PolicyVersion
from banyan.manifest import BaseModelId
from banyan.ports import PolicyStore
from banyan.promotion import Rules
from banyan.registry import Listed, Registry, Version
from service.settings import ServiceSettings


def make_publisher(store: PolicyStore, listed: Listed, settings: ServiceSettings) -> Publisher:
    """Publishes from the folder of the settings, by their rules."""
    served = None
    if settings.base_model:
        served = BaseModelId(name=settings.base_model, fingerprint=settings.base_fingerprint)
    rules = Rules(margin=settings.policy_margin, max_logprob_gap=settings.policy_max_gap)
    folder = PolicyFolder(settings.policy_dir)
    return Publisher(store, folder, listed=listed, rules=rules, served=served)


def shown(version: Version) -> PolicyVersion:
    """A version as callers see it."""
    return PolicyVersion(
        version=version.version,
        policy=version.policy,
        kind=version.kind,
        parent=version.parent,
        state=version.state,
        changed_at=version.changed_at,
        reasons=version.reasons,
        changes=version.changes,
    )


def shown_all(registry: Registry) -> PolicyList:
    """All of the registry; a policy that has no versions serves its own weights and is left out."""
    lines = {
        name: PolicyLine(
            live=line.live,
            previous=line.previous,
            canary=line.canary,
            canary_share=line.share,
            moving_to=line.wanted.version if line.wanted else None,
        )
        for name, line in registry.lines.items()
    }
    versions = sorted(registry.versions.values(), key=lambda of: int(of.version.rpartition("v")[2]))
    return PolicyList(policies=lines, versions=tuple(shown(version) for version in versions))
