"""Tally: what the records of a log add up to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from banyan.trajectory import LoggedNode


@dataclass(slots=True)
class Tally:
    """Counts over all trees. `sampled_tokens` are those with a mask of 1."""

    num_nodes: int = 0
    num_turns: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    sampled_tokens: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    profiles: Counter[str] = field(default_factory=Counter)
    nodes_by_depth: Counter[int] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    policy_versions: Counter[str] = field(default_factory=Counter)
    success_sources: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)

    def add(self, nodes: Sequence[LoggedNode]) -> None:
        """One tree's records."""
        self.statuses[nodes[0].tree.status] += 1
        self.profiles[nodes[0].tree.profile] += 1
        for node in nodes:
            self._add(node)

    def _add(self, node: LoggedNode) -> None:
        self.num_nodes += 1
        self.nodes_by_depth[node.depth] += 1
        self.prompt_tokens += node.usage.prompt_tokens
        self.cached_tokens += node.usage.cached_tokens
        self.completion_tokens += node.usage.completion_tokens
        if node.dropped is not None:
            self.dropped[node.dropped] += 1
        elif node.outcome is not None:
            self.outcomes[node.outcome.status] += 1
        else:
            self.outcomes["none"] += 1
        if node.success is not None:
            self.success_sources[node.success.source] += 1
        for turn in node.turns:
            self.num_turns += 1
            self.policy_versions[turn.policy_version] += 1
            self.sampled_tokens += sum(turn.action_token_mask or ())
