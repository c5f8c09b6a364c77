"""Credit lines: what `banyan-train credit` prints, from the file that it reads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from training import credit, forests, node_lines
from training.credit import Baseline, Credit
from training.errors import SingleTreeGroup
from training.node_lines import Id, NodeLine

_BLOCK_NODES = 50_000


class CreditLine(msgspec.Struct, gc=False):
    """One node of the output. `advantage` is not yet multiplied by `weight`."""

    tree_id: Id
    node_id: Id
    depth: int
    reward: float
    advantage: float
    weight: float


@dataclass(frozen=True, slots=True)
class CreditLines:
    """The credit of all nodes of a file, in its order."""

    nodes: list[NodeLine]
    credit: Credit
    num_proxies: int
    """Nodes that took their root's success for want of one of their own."""

    @property
    def num_nodes(self) -> int:
        return len(self.nodes)

    def encoded(self) -> Iterator[bytes]:
        """JSON lines, many at a time."""
        encode = msgspec.json.Encoder().encode_lines
        for start in range(0, self.num_nodes, _BLOCK_NODES):
            part = slice(start, start + _BLOCK_NODES)
            values = zip(
                self.nodes[part],
                self.credit.reward_N[part].tolist(),
                self.credit.advantage_N[part].tolist(),
                self.credit.weight_N[part].tolist(),
                strict=True,
            )
            yield encode(
                [
                    CreditLine(node.tree_id, node.node_id, node.depth, reward, advantage, weight)
                    for node, reward, advantage, weight in values
                ]
            )


def credit_of(path: str, *, lambda_: float, baseline: Baseline) -> CreditLines:
    """Read, check and compute. Raises UnreadableFile, NoNodes and RecordError."""
    lines = node_lines.read(path)
    grown = forests.grow(lines)
    try:
        result = credit.assign(grown.forest, lambda_=lambda_, baseline=baseline)
    except credit.NoPeer as error:
        root = int(grown.forest.root_T()[error.trees[0]])
        record = lines.nodes[root]
        raise SingleTreeGroup(
            f"tree {record.tree_id} is alone in group {record.group_id}",
            file=lines.file,
            line=lines.numbers[root],
        ) from error
    return CreditLines(lines.nodes, result, int(grown.by_proxy_N.sum()))
