"""Policies of a request: names that are served, resolved to versions, and prices for a limit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from banyan.adapters.served_versions import ServedVersions
from banyan.errors import NotFound, UnknownPolicy
from banyan.policy import Policy
from service.problems import Refused
from service.schemas import SolveRequest


@dataclass(frozen=True, slots=True)
class Chosen:
    """The versions that a tree is pinned to."""

    policy: str
    policies: tuple[str, ...]
    leaves: str | None

    @classmethod
    async def of(cls, request: SolveRequest, served: ServedVersions, tree_id: str) -> Self:
        """What the request asks for; it stays loaded for the tree.

        Raises Refused for what is not served, or has no price.
        """

        async def assign(name: str, field: str) -> Policy:
            try:
                return await served.assign(name, tree_id, deadline_s=request.limits.deadline_s)
            except (UnknownPolicy, NotFound) as error:
                raise Refused(
                    f"{field}: {error}", code="unknown_policy", hint=error.hint, field=field
                ) from error

        root = await assign(request.policy, "policy")
        others = [
            await assign(name, f"policies.{index}") for index, name in enumerate(request.policies)
        ]
        leaves = None
        if request.leaves is not None:
            leaves = await assign(request.leaves, "leaves")
        used = [root, *others, *([leaves] if leaves else [])]
        if request.limits.has_price and all(policy.prices.are_free for policy in used):
            raise Refused(
                "limits.max_cost_usd: none of the policies of this request has a price.",
                code="no_prices",
                hint="Leave it out, or have prices listed in the service's file of policies.",
                field="limits.max_cost_usd",
            )
        return cls(
            policy=root.version,
            policies=tuple(dict.fromkeys(policy.version for policy in others)),
            leaves=leaves.version if leaves else None,
        )
