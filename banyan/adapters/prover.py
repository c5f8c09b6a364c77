"""Prover: measures a replica's log-probabilities of a version's probe, and compares."""

from __future__ import annotations

import asyncio

from banyan import proof
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
        measured = await asyncio.gather(replica.probe(probe, name), replica.probe(probe, name))
        trained = [known.probe.logprobs] if known else []
        return proof.tolerance([*measured, *trained], floor=self._floor)

    async def check_full(self, replica: Weights, version: str, allowed: float) -> None:
        """Of the weights that the replica has now.

        Raises NotProved, and what the replica raises.
        """
        probe = (await self._store.manifest(version)).probe
        proof.check(await replica.probe(probe, None), probe.logprobs, allowed)

    async def check_adapter(self, replica: Weights, registry: Registry, version: str) -> None:
        """Of an adapter that is loaded beside what is live: both are measured at once.

        Raises NotProved, and what the replica raises.
        """
        probe = (await self._store.manifest(version)).probe
        allowed, measured = await asyncio.gather(
            self.tolerance(replica, registry, version, adapter=True),
            replica.probe(probe, version),
        )
        proof.check(measured, probe.logprobs, allowed)
