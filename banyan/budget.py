"""Budget: what one node may still spend.

A budget is never created after admission. It moves from a parent to its children (`split`), is
spent on turns (`spend`), and what is left returns when a node finishes (`refund`). Over all nodes
of a tree, what is held plus what was spent is always what was admitted.
"""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, Field


class Budget(BaseModel):
    """Tokens (prompt + completion) and further nodes that a node and its descendants may use."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tokens: int = Field(ge=0)
    nodes: int = Field(ge=0, description="Descendants that may still be created below this node.")

    def spend(self, tokens: int) -> tuple[Budget, int]:
        """Pay `tokens`; return the budget left and the overdraft (0 where it sufficed).

        An overdraft happens where an engine used more than was reserved; it is reported, and the
        node has nothing left.
        """
        if tokens < 0:
            raise ValueError("a turn cannot spend a negative number of tokens")
        paid = min(tokens, self.tokens)
        return Budget(tokens=self.tokens - paid, nodes=self.nodes), tokens - paid

    def split(self, needs: Sequence[int], keep_tokens: int) -> tuple[Budget, list[Budget]]:
        """Share the budget among children, keeping `keep_tokens` for the parent's own merge.

        `needs[C]` are estimates in tokens. Where there is enough for all, shares are proportional
        to them; where there is not, the first children get all they need and the last ones
        nothing, since many answers to some parts are worth more than none to all. Returns the
        parent's budget, with the remainder, and one a child. Raises ValueError where there are
        not enough nodes for the children.
        """
        num_children = len(needs)
        if num_children < 1:
            raise ValueError("a split needs at least one child")
        if num_children > self.nodes:
            raise ValueError(f"{num_children} children, but only {self.nodes} nodes are left")
        tokens = _shares(needs, max(0, self.tokens - keep_tokens))
        nodes = (self.nodes - num_children) // num_children
        parent = Budget(
            tokens=self.tokens - sum(tokens),
            nodes=self.nodes - num_children - nodes * num_children,
        )
        return parent, [Budget(tokens=share, nodes=nodes) for share in tokens]

    def refund(self, other: Budget) -> Budget:
        """Take back what a finished child did not use."""
        return Budget(tokens=self.tokens + other.tokens, nodes=self.nodes + other.nodes)


def _shares(needs: Sequence[int], available: int) -> list[int]:
    total = sum(needs)
    if total == 0:
        return [available // len(needs)] * len(needs)
    if total <= available:
        return [available * need // total for need in needs]
    shares = []
    for need in needs:
        share = min(need, available)
        available -= share
        shares.append(share)
    return shares
