"""Budget: what one node may still spend.

A budget is never created after admission. It moves from a parent to its children (`split`), is
spent on turns (`spend`), and what is left returns when a node finishes (`refund`). Over all nodes
of a tree, what is held plus what was spent is always what was admitted.
"""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, Field


class Budget(BaseModel):
    """Tokens (prompt + completion), nodes and money that a node and its descendants may use."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tokens: int = Field(ge=0)
    nodes: int = Field(ge=0, description="Descendants that may still be created below this node.")
    nano_usd: int = Field(
        0, ge=0, description="Money, in 1e-9 USD; always 0 where the task does not limit it."
    )

    def spend(self, tokens: int, nano_usd: int = 0) -> tuple[Budget, int]:
        """Pay; return the budget left and the overdraft in tokens (0 where they sufficed).

        An overdraft happens where an engine used more than was reserved; it is reported, and the
        node has nothing left. So it is with money, which is never held where it is not limited.
        """
        if tokens < 0 or nano_usd < 0:
            raise ValueError("a turn cannot spend a negative number of tokens or nano-dollars")
        paid = min(tokens, self.tokens)
        left = Budget(
            tokens=self.tokens - paid,
            nodes=self.nodes,
            nano_usd=max(0, self.nano_usd - nano_usd),
        )
        return left, tokens - paid

    def split(
        self,
        needs: Sequence[int],
        keep_tokens: int,
        *,
        costs: Sequence[tuple[int, int]] | None = None,
        keep_nano_usd: int = 0,
    ) -> tuple[Budget, list[Budget]]:
        """Share the budget among children, keeping some of it for the parent's own merge.

        `needs[C]` are estimates in tokens, `costs[C]` what is needed in nano-dollars, at least and
        rather (default: alike for all). Where there is enough for all, shares are proportional to
        them; where it is enough for the least, everybody gets that and a part of the rest; else
        the first children get what they need and the last ones nothing, since many answers to some
        parts are worth more than none to all. Returns the parent's budget, with the remainder, and
        one a child. Raises ValueError where there are not enough nodes for the children.
        """
        num_children = len(needs)
        if num_children < 1:
            raise ValueError("a split needs at least one child")
        if num_children > self.nodes:
            raise ValueError(f"{num_children} children, but only {self.nodes} nodes are left")
        tokens = _shares(needs, max(0, self.tokens - keep_tokens))
        money = _money_shares(
            costs or [(0, 0)] * num_children, max(0, self.nano_usd - keep_nano_usd)
        )
        nodes = (self.nodes - num_children) // num_children
        parent = Budget(
            tokens=self.tokens - sum(tokens),
            nodes=self.nodes - num_children - nodes * num_children,
            nano_usd=self.nano_usd - sum(money),
        )
        return parent, [
            Budget(tokens=share, nodes=nodes, nano_usd=paid)
            for share, paid in zip(tokens, money, strict=True)
        ]

    def refund(self, other: Budget) -> Budget:
        """Take back what a finished child did not use."""
        return Budget(
            tokens=self.tokens + other.tokens,
            nodes=self.nodes + other.nodes,
            nano_usd=self.nano_usd + other.nano_usd,
        )

    def less(self, other: Budget) -> Budget:
        """What is left when `other` is given away. Raises ValueError where it is not there."""
        return Budget(
            tokens=self.tokens - other.tokens,
            nodes=self.nodes - other.nodes,
            nano_usd=self.nano_usd - other.nano_usd,
        )

    def equal_share(self, num_shares: int) -> Budget:
        """One of `num_shares` equal parts, rounded down."""
        return Budget(
            tokens=self.tokens // num_shares,
            nodes=self.nodes // num_shares,
            nano_usd=self.nano_usd // num_shares,
        )


def _money_shares(costs: Sequence[tuple[int, int]], available: int) -> list[int]:
    least, rather = ([cost[index] for cost in costs] for index in (0, 1))
    if not sum(least) < available < sum(rather):
        return _shares(rather if sum(rather) <= available else least, available)
    more = [wish - need for need, wish in costs]
    extra = _shares(more, available - sum(least), scaled=True)
    return [need + share for need, share in zip(least, extra, strict=True)]


def _shares(needs: Sequence[int], available: int, *, scaled: bool = False) -> list[int]:
    total = sum(needs)
    if total == 0:
        return [available // len(needs)] * len(needs)
    if scaled or total <= available:
        return [available * need // total for need in needs]
    shares = []
    for need in needs:
        share = min(need, available)
        available -= share
        shares.append(share)
    return shares
