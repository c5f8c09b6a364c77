"""Budget: what one node may still spend.

A budget is never created after admission. It moves from a parent to its children (`split`), is
spent on turns (`spend`), and what is left returns when a node finishes (`refund`). Over all nodes
of a tree, what is held plus what was spent is always what was admitted.
"""

from __future__ import annotations

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

    def split(self, num_children: int, keep_tokens: int) -> tuple[Budget, list[Budget]]:
        """Share the budget among `num_children`, keeping `keep_tokens` for the parent's own merge.

        Returns the parent's budget and one budget a child; the remainder of the division stays
        with the parent. Raises ValueError where there are not enough nodes for the children.
        """
        if num_children < 1:
            raise ValueError("a split needs at least one child")
        if num_children > self.nodes:
            raise ValueError(f"{num_children} children, but only {self.nodes} nodes are left")
        shared_tokens = max(0, self.tokens - keep_tokens) // num_children
        shared_nodes = (self.nodes - num_children) // num_children
        child = Budget(tokens=shared_tokens, nodes=shared_nodes)
        parent = Budget(
            tokens=self.tokens - shared_tokens * num_children,
            nodes=self.nodes - num_children - shared_nodes * num_children,
        )
        return parent, [child] * num_children

    def refund(self, other: Budget) -> Budget:
        """Take back what a finished child did not use."""
        return Budget(tokens=self.tokens + other.tokens, nodes=self.nodes + other.nodes)
