"""A burst of trees on a pool of servers, second by second, for `bench.scaling`.

Each call of a tree waits for a server with a free sequence, and then shares it: a server of n calls
gives each 1/n of its throughput, but none more than one call alone can have. Prometheus sees what
was so up to 15 s ago.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from bench.durations import percentile
from bench.keda import Scaler
from bench.record_tree import Tree

SCRAPE_S = 15.0
START_S = 240.0
"""Of a vLLM server whose weights are in its cache: load, compile, warm up."""
STEP_S = 0.5
DRAINED_S = 1_200.0
"""How long is simulated after the last tree, so that what scales down is seen."""


@dataclass(frozen=True, slots=True)
class Speed:
    """Of one server, in tokens a second; `alone` is what one call writes with nothing beside it."""

    prefill: float = 15_000.0
    decode: float = 2_500.0
    alone: float = 80.0
    completion_tokens: int = 200
    max_num_seqs: int = 64
    start_s: float = START_S

    def work_s(self, prompt_tokens: int) -> float:
        """Of the whole server's time."""
        return prompt_tokens / self.prefill + self.completion_tokens / self.decode

    def least_s(self, prompt_tokens: int) -> float:
        """On a server with nothing else to do."""
        return prompt_tokens / self.prefill + self.completion_tokens / self.alone


@dataclass(slots=True)
class Call:
    """A turn of a node of a tree."""

    tree: Running
    node: str
    turn: int
    due_at: float
    left_s: float = 0.0
    share: float = 1.0
    """The most of a server's time that it can use."""


@dataclass(slots=True)
class Running:
    """A tree under way."""

    shape: Tree
    began_at: float
    ended_at: float | None = None
    waiting: dict[str, int] = field(default_factory=dict)
    """Children that a node waits for."""
    turns: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Server:
    ready_at: float
    calls: list[Call] = field(default_factory=list)
    leaves: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a burst cost and how long it took; seconds. Each server has one GPU."""

    queue_mean_s: float
    queue_p95_s: float
    tree_p50_s: float
    tree_p95_s: float
    most_servers: int
    gpu_hours: float
    busy_share: float


class Pool:
    """Servers, the calls that wait for one, and what Prometheus saw of both."""

    def __init__(self, speed: Speed, replicas: int) -> None:
        self.speed = speed
        self.servers = [Server(0.0) for _ in range(replicas)]
        self.continuations: deque[Call] = deque()
        self.children: deque[Call] = deque()
        self.queued_s: list[float] = []
        self.server_s = self.busy_s = 0.0
        self.most = replicas
        self._seen = (0, 0)

    def due(self, tree: Running, node: str, now: float) -> None:
        """Continuations go before new children, so that trees finish."""
        turn = tree.turns.get(node, 0)
        queue = self.continuations if turn else self.children
        queue.append(Call(tree, node, turn, now))

    def scale(self, wanted: int, now: float) -> None:
        staying = [server for server in self.servers if not server.leaves]
        for server in staying[wanted:]:
            server.leaves = True
        missing = wanted - len(staying)
        self.servers += [Server(now + self.speed.start_s) for _ in range(missing)]
        self.servers = [one for one in self.servers if one.calls or not one.leaves]
        self.most = max(self.most, len(self.servers))

    def step(self, now: float) -> list[Call]:
        """Hand calls out and work on them for STEP_S; those that are finished."""
        ready = [one for one in self.servers if one.ready_at <= now and not one.leaves]
        for queue in (self.continuations, self.children):
            while queue and ready:
                server = min(ready, key=lambda one: len(one.calls))
                if len(server.calls) >= self.speed.max_num_seqs:
                    break
                self._begin(server, queue.popleft(), now)
        finished = []
        for server in self.servers:
            self.server_s += STEP_S
            finished += self._work(server)
        return finished

    def see(self) -> None:
        """A scrape."""
        running = sum(len(server.calls) for server in self.servers)
        self._seen = (len(self.continuations) + len(self.children), running)

    def waiting(self) -> float:
        """What servers that run tell: there is nothing to ask where there is none."""
        return float(self._seen[0]) if self.servers else 0.0

    def requests(self) -> float:
        return float(self._seen[0] + self._seen[1]) if self.servers else 0.0

    def nodes(self) -> float:
        """Due and running ones, which the service tells."""
        return float(self._seen[0] + self._seen[1])

    def _begin(self, server: Server, call: Call, now: float) -> None:
        prompt_tokens = call.tree.shape[call.node][call.turn].prompt_tokens
        call.left_s = self.speed.work_s(prompt_tokens)
        call.share = call.left_s / self.speed.least_s(prompt_tokens)
        self.queued_s.append(now - call.due_at)
        server.calls.append(call)

    def _work(self, server: Server) -> list[Call]:
        if not server.calls:
            return []
        fair = 1 / len(server.calls)
        for call in server.calls:
            used_s = min(fair, call.share) * STEP_S
            self.busy_s += min(used_s, call.left_s)
            call.left_s -= used_s
        finished = [call for call in server.calls if call.left_s <= 0]
        server.calls = [call for call in server.calls if call.left_s > 0]
        return finished


def simulate(
    arrivals: Sequence[tuple[float, Tree]],
    speed: Speed,
    scaler: Callable[[Pool], Scaler] | int,
) -> Outcome:
    """Run trees as they arrive. `scaler`: how many servers there always are, or what decides.

    Raises RuntimeError where a tree is not finished after two days.
    """
    fixed = scaler if isinstance(scaler, int) else None
    pool = Pool(speed, fixed or 0)
    scaling = None if isinstance(scaler, int) else scaler(pool)
    if scaling is not None:
        pool.scale(scaling.replicas, -speed.start_s)
    trees: list[Running] = []
    coming = deque(sorted(arrivals, key=lambda one: one[0]))
    now, ended_at, scraped_at = 0.0, math.inf, -math.inf
    while now < ended_at + DRAINED_S:
        while coming and coming[0][0] <= now:
            tree = Running(coming.popleft()[1], now)
            trees.append(tree)
            pool.due(tree, "0", now)
        if now - scraped_at >= SCRAPE_S:
            scraped_at = now
            pool.see()
        if scaling is not None:
            pool.scale(scaling.tick(now), now)
        for call in pool.step(now):
            _finish(call, pool, now + STEP_S)
        now += STEP_S
        if ended_at == math.inf and not coming and all(tree.ended_at for tree in trees):
            ended_at = now
        if now > 172_800:
            raise RuntimeError("not finished after two days")
    return _outcome(trees, pool)


def _finish(call: Call, pool: Pool, now: float) -> None:
    """The node's next turn, its children, or its end, which may wake its parent."""
    tree, node = call.tree, call.node
    tree.turns[node] = call.turn + 1
    turn = tree.shape[node][call.turn]
    if turn.children:
        names = [f"{node}.{index}" for index in range(turn.children)]
        known = [name for name in names if name in tree.shape]
        tree.waiting[node] = len(known)
        for name in known:
            pool.due(tree, name, now)
        if known:
            return
    while tree.turns[node] >= len(tree.shape[node]):
        parent = node.rpartition(".")[0]
        if not parent:
            tree.ended_at = now
            return
        tree.waiting[parent] -= 1
        if tree.waiting[parent]:
            return
        node = parent
    pool.due(tree, node, now)


def _outcome(trees: Iterable[Running], pool: Pool) -> Outcome:
    took = [tree.ended_at - tree.began_at for tree in trees if tree.ended_at is not None]
    return Outcome(
        queue_mean_s=sum(pool.queued_s) / len(pool.queued_s),
        queue_p95_s=percentile(pool.queued_s, 95),
        tree_p50_s=percentile(took, 50),
        tree_p95_s=percentile(took, 95),
        most_servers=pool.most,
        gpu_hours=pool.server_s / 3_600,
        busy_share=pool.busy_s / pool.server_s,
    )
