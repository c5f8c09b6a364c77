"""Between the store's records and Redis: key names, and what hashes and stream entries mean.

Times in Redis are whole milliseconds; records carry seconds.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from banyan.adapters.hints import Ready
from banyan.adapters.redis_scripts import blob
from banyan.budget import Budget
from banyan.node import Outcome
from banyan.ports import Claimed, Lease, Spent, TurnLog
from banyan.state import pack, unpack
from banyan.tree import (
    Event,
    NodeRecord,
    Spending,
    TreeRecord,
    TreeStatus,
    Usage,
    final_status,
    shard_of,
)

Fields = Mapping[bytes, bytes]

_SPENT = tuple(field.name for field in fields(Spent))
_USAGE = tuple(name for name in Usage.model_fields if name != "by_policy")
_BY_POLICY = b"policy:"

NODE_FIELDS = (
    b"policy",
    b"status",
    b"generation",
    b"epoch",
    b"attempts",
    b"tokens",
    b"nodes",
    b"nano_usd",
    b"num_children",
    b"queued_at",
    b"claimed_at",
    b"finished_at",
    b"outcome",
    *(b"spent:" + name.encode() for name in _SPENT),
)
"""What lists show of a node; its packed state stays behind."""


class Keys:
    """Names of keys. Every name starts with its shard's tag, which fixes the hash slot.

    `namespace` keeps installations apart that share one server.
    """

    def __init__(self, namespace: str) -> None:
        self._namespace = namespace

    def tag(self, shard: int) -> str:
        return f"{{{self._namespace}s{shard}}}"

    def due(self, shard: int) -> str:
        return f"{self.tag(shard)}:due"

    def solves(self, shard: int, tenant: str, status: TreeStatus | None) -> str:
        return f"{self.tag(shard)}:solves:{status or 'all'}:{tenant}"

    def log(self, shard: int) -> str:
        return f"{self.tag(shard)}:log"

    def outbox(self, shard: int) -> str:
        return f"{self.tag(shard)}:outbox"

    def leftovers(self, shard: int) -> str:
        return f"{self.tag(shard)}:leftovers"

    def tree(self, tree_id: str) -> str:
        return f"{self.tag(shard_of(tree_id))}:tree:{tree_id}"

    def node(self, tree_id: str, path: str) -> str:
        return f"{self.tree(tree_id)}:node:{path}"

    def turns(self, tree_id: str, path: str) -> str:
        return f"{self.tree(tree_id)}:turns:{path}"

    def nodes(self, tree_id: str) -> str:
        return f"{self.tree(tree_id)}:nodes"

    def shared(self, tree_id: str) -> str:
        return f"{self.tree(tree_id)}:shared"

    def events(self, tree_id: str) -> str:
        return f"{self.tree(tree_id)}:events"


def dump_event(data: Mapping[str, Any]) -> str:
    """An event's data as it is stored."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))


def dump_outcome(outcome: Outcome) -> dict[str, Any]:
    """An outcome for Lua: packed, and the few things that scripts decide by."""
    return {
        "packed": blob(pack(outcome)),
        "status": outcome.status,
        "complete": outcome.complete,
        "tree_status": final_status(outcome),
    }


def dump_log(path: str, log: TurnLog | None) -> dict[str, Any] | None:
    if log is None:
        return None
    return {
        "record": blob(log.record),
        "tokens": log.spent.tokens,
        "spent": {name: getattr(log.spent, name) for name in _SPENT},
        "event": dump_event({"node": path, **log.event}),
    }


def load_ready(flat: Sequence[bytes]) -> list[Ready]:
    """Nodes that were made ready, from (tree, path, continuation) one behind the other."""
    return [
        (tree_id.decode(), path.decode(), continuation == b"1")
        for tree_id, path, continuation in zip(flat[0::3], flat[1::3], flat[2::3], strict=True)
    ]


def load_budget(tokens: bytes | int, nodes: bytes | int, nano_usd: bytes | int) -> Budget:
    return Budget(tokens=int(tokens), nodes=int(nodes), nano_usd=int(nano_usd))


def load_claimed(tree_id: str, now: bytes, deadline_at: bytes, node: Sequence[Any]) -> Claimed:
    path, epoch, packed, tokens, nodes, nano_usd, policy, *rest = node
    generation, attempts, queued_at, outcomes, suspended_epoch, parent_epoch = rest
    return Claimed(
        lease=Lease(tree_id, path.decode(), int(epoch)),
        packed=packed,
        budget=load_budget(tokens, nodes, nano_usd),
        policy=policy.decode(),
        deadline_at=int(deadline_at) / 1000,
        now=int(now) / 1000,
        generation=int(generation),
        attempts=int(attempts),
        queued_at=int(queued_at) / 1000,
        outcomes=tuple(unpack(outcome, Outcome) for outcome in outcomes),
        suspended_epoch=int(suspended_epoch) if suspended_epoch else None,
        parent_epoch=int(parent_epoch) if parent_epoch else None,
    )


def load_tree(
    tree_id: str,
    tree: Fields,
    outcome: bytes | None,
    first: Sequence[tuple[bytes, Fields]] = (),
) -> TreeRecord:
    """`first`: the oldest event that is kept, where it was asked for."""
    return TreeRecord.model_validate(
        {
            "id": tree_id,
            "tenant": tree[b"tenant"].decode(),
            "status": tree[b"status"].decode(),
            "task": tree[b"task"],
            "created_at": _seconds(tree, b"created_at"),
            "deadline_at": _seconds(tree, b"deadline_at"),
            "finished_at": _seconds(tree, b"finished_at"),
            "generation": int(tree[b"generation"]),
            "last_event": int(tree[b"seq"]),
            "first_event": load_event(first[0]).seq if first else 1,
            "usage": _load_usage(tree),
            "outcome": unpack(outcome, Outcome) if outcome else None,
        }
    )


def load_admitted(
    tree_id: str, tree: Sequence[bytes], outcome: bytes | None, first: Sequence[Any]
) -> TreeRecord:
    """What a script tells of a tree. Its hashes are lists of fields and values, in turns."""
    events = [(identity, _pairs(flat)) for identity, flat in first]
    return load_tree(tree_id, _pairs(tree), outcome, events)


def _pairs(flat: Sequence[bytes]) -> Fields:
    return dict(zip(flat[0::2], flat[1::2], strict=True))


def load_node(path: str, node: Fields, turns: Sequence[bytes] = ()) -> NodeRecord:
    outcome = node.get(b"outcome")
    return NodeRecord.model_validate(
        {
            "path": path,
            "policy": node[b"policy"].decode(),
            "status": node[b"status"].decode(),
            "generation": int(node[b"generation"]),
            "epoch": int(node[b"epoch"]),
            "attempts": int(node[b"attempts"]),
            "budget": load_budget(node[b"tokens"], node[b"nodes"], node[b"nano_usd"]),
            "num_children": int(node[b"num_children"]),
            "queued_at": _seconds(node, b"queued_at"),
            "claimed_at": _seconds(node, b"claimed_at"),
            "finished_at": _seconds(node, b"finished_at"),
            "spent": {name: int(node.get(b"spent:" + name.encode(), 0)) for name in _SPENT},
            "outcome": unpack(outcome, Outcome) if outcome else None,
            "packed": node.get(b"packed"),
            "turns": tuple(turns),
        }
    )


def load_event(entry: tuple[bytes, Fields]) -> Event:
    identity, fields = entry
    return Event(
        seq=int(identity.partition(b"-")[0]),
        type=fields[b"type"].decode(),
        at=int(fields[b"at"]) / 1000,
        data=json.loads(fields[b"data"]),
    )


def _load_usage(tree: Fields) -> Usage:
    by_policy: dict[str, dict[str, int]] = {}
    for field, value in tree.items():
        if field.startswith(_BY_POLICY):
            _, policy, name = field.decode().split(":")
            by_policy.setdefault(policy, {})[name] = int(value)
    return Usage(
        **{name: int(tree.get(name.encode(), 0)) for name in _USAGE},
        by_policy={name: Spending(**spent) for name, spent in by_policy.items()},
    )


def _seconds(fields: Fields, name: bytes) -> float | None:
    value = fields.get(name)
    return None if value is None else int(value) / 1000


def load_all_ready(replies: Sequence[list[Any]]) -> list[Ready]:
    """What the scripts of several shards made ready."""
    return [entry for _, ready in replies for entry in load_ready(ready)]


def by_shard(leases: Sequence[Lease]) -> dict[int, list[Lease]]:
    """Leases under the shards that hold their trees."""
    grouped: dict[int, list[Lease]] = defaultdict(list)
    for lease in leases:
        grouped[shard_of(lease.tree_id)].append(lease)
    return grouped


def plain(leases: Sequence[Lease]) -> list[tuple[str, str, int]]:
    """Tree, path and epoch of each, as scripts take them."""
    return [(lease.tree_id, lease.path, lease.epoch) for lease in leases]
