"""Prover: measures a replica's log-probabilities of a version's probe, and compares."""

from __future__ import annotations

from banyan import proof
from banyan.manifest import Manifest, Probe
from banyan.ports import PolicyStore, Weights
from banyan.registry import Registry


class Prover:
    """`floor`: nats a token, below which no tolerance is set."""

    def __init__(self, store: PolicyStore, *, floor: float) -> None:
        self._store = store
        self._floor = floor

    async def tolerance(
        self, replica: Weights, registry: Registry, version: str, *, adapter: bool
    ) -> float:
        """Measured on what the replica serves now, which is the live version of the policy.

        Nats a token. A version's own weights have no trainer to agree with: there the engine is
        compared with itself alone, on the probe of the version to come.
        """
        manifest = await self._store.manifest(version)
        live = registry.line(manifest.policy).live
        known = await self._store.manifest(live) if live in registry.versions else None
        probe = known.probe if known else manifest.probe
        name = live if adapter and known else None
        measured = [await replica.probe(probe, name), await replica.probe(probe, name)]
        if known:
            measured.append(known.probe.logprobs)
        return proof.tolerance(measured, floor=self._floor)

    async def check(self, replica: Weights, version: str, allowed: float, *, adapter: bool) -> None:
        """Raises NotProved, and what the replica raises."""
        manifest: Manifest = await self._store.manifest(version)
        probe: Probe = manifest.probe
        measured = await replica.probe(probe, version if adapter else None)
        proof.check(measured, probe.logprobs, allowed)
