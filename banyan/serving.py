"""Serving: the policies of this process, each with its engine. Pure but for what engines do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

from banyan import specialists
from banyan.policy import ONLY_BASE, Policies, Policy
from banyan.ports import Engine
from banyan.specialists import Specialist
from banyan.task import Task


class Serving:
    """`engines` has one for each name of `policies`; several names may share one."""

    def __init__(self, policies: Policies, engines: Mapping[str, Engine]) -> None:
        self.policies = policies
        self._engines = dict(engines)

    @classmethod
    def only(cls, engine: Engine, policies: Policies = ONLY_BASE) -> Self:
        """All policies on one engine."""
        return cls(policies, dict.fromkeys(policies.names, engine))

    def engine(self, policy: Policy) -> Engine:
        """Who runs the policy."""
        return self._engines[policy.name]

    async def team(
        self, task: Task, published: Mapping[str, Policy] | None = None
    ) -> dict[str, Specialist]:
        """The policies that the task's nodes may run on, with the windows of their engines.

        `published` are versions of policies that are served, by their own names. Raises
        UnknownPolicy, and what asking an engine for its abilities raises.
        """
        team = {}
        for name in specialists.names(task):
            policy = (published or {}).get(name) or self.policies.resolve(name)
            abilities = await self.engine(policy).abilities()
            team[name] = Specialist(policy, abilities.window)
        return team

    async def close(self) -> None:
        """Close every engine once."""
        for engine in {id(engine): engine for engine in self._engines.values()}.values():
            await engine.close()
