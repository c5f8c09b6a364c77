"""Signals: the names of all metrics, spans and their attributes. Nothing else names them.

Dashboards, alerts and documents are checked against `METRICS`. Labels have few values: kinds,
codes, routes, policies, model servers. Tenants are a label only of `BY_TENANT`, which an operator
has to ask for; trees and nodes never are one. Names end as Prometheus has it, in base units.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

MetricKind = Literal["counter", "gauge", "histogram"]
Program = Literal["service", "worker", "both"]

FAST_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)
SLOW_S = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0)


@dataclass(frozen=True, slots=True, eq=False)
class Metric:
    """One metric as Prometheus shows it. `program`: who has it. `buckets` are upper bounds.

    `first`: values of its label that are told as 0 from the start. A series that begins with its
    first event has no increase, and no alert would see that one. `kept_elsewhere`: the store
    counts, and nothing is told before it was asked; a 0 at each start would look like an increase.
    Each is itself and equal to no other, so that looking one up is quick.
    """

    name: str
    kind: MetricKind
    program: Program
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()
    first: tuple[str, ...] = ()
    kept_elsewhere: bool = False

    @property
    def series(self) -> frozenset[str]:
        """The names under which a query finds it."""
        if self.kind == "histogram":
            return frozenset(f"{self.name}_{part}" for part in ("bucket", "sum", "count"))
        return frozenset({self.name})


def _counter(
    name: str,
    program: Program,
    text: str,
    *labels: str,
    first: tuple[str, ...] = (),
    kept_elsewhere: bool = False,
) -> Metric:
    return Metric(
        name, "counter", program, text, labels, first=first, kept_elsewhere=kept_elsewhere
    )


def _gauge(name: str, program: Program, text: str, *labels: str) -> Metric:
    return Metric(name, "gauge", program, text, labels)


BUILD = _gauge("banyan_build_info", "both", "Always 1.", "version", "program")
LOOP_FAILURES = _counter(
    "banyan_loop_failures_total", "both", "Looks of a program's own loops that failed.", "loop"
)

# Requests, told by each service process.
HTTP_REQUESTS = _counter(
    "banyan_http_requests_total", "service", "Requests answered.", "method", "route", "status"
)
HTTP_SECONDS = Metric(
    "banyan_http_request_seconds",
    "histogram",
    "service",
    "From a request to the end of its reply; waits and streams too.",
    ("route",),
    SLOW_S,
)
PROBLEMS = _counter("banyan_http_problems_total", "service", "Problems answered.", "code")
TREES_ADMITTED = _counter("banyan_trees_admitted_total", "service", "Trees begun.")
TREES_RESUMED = _counter("banyan_trees_resumed_total", "service", "Trees opened again.")
EVENT_STREAMS = _gauge("banyan_event_streams", "service", "Streams of events that are open.")

# The whole installation, looked up in the store: each service process tells the same.
QUEUE_NODES = _gauge(
    "banyan_queue_nodes", "service", "Nodes that are due and that no worker has yet."
)
QUEUE_OLDEST = _gauge(
    "banyan_queue_oldest_seconds", "service", "Age of the oldest due node; 0 where there is none."
)
RUNNING_NODES = _gauge("banyan_running_nodes", "service", "Nodes under a lease.")
LEASES_EXPIRED = _counter(
    "banyan_leases_expired_total",
    "service",
    "Leases that ran out: their workers fell silent.",
    kept_elsewhere=True,
)
TREES_LOST = _counter(
    "banyan_trees_lost_total",
    "service",
    "Trees that failed since their root's workers were lost.",
    kept_elsewhere=True,
)
LOG_WAITING = _gauge(
    "banyan_trajectory_waiting_trees", "service", "Finished trees that are not in the log yet."
)
WEBHOOKS_WAITING = _gauge(
    "banyan_webhook_waiting_notices", "service", "Ends that receivers have not been told of yet."
)
STORE_BYTES = _gauge("banyan_store_used_bytes", "service", "Memory of the store, all servers.")
STORE_MAX_BYTES = _gauge(
    "banyan_store_max_bytes", "service", "The most it may use, all servers; 0: no limit is set."
)
POLICY_LIVE = _gauge(
    "banyan_policy_live", "service", "1 for the version that new trees get.", "policy", "version"
)
POLICY_VERSIONS = _gauge(
    "banyan_policy_versions", "service", "Published versions.", "policy", "state"
)

# Nodes, told by each worker.
SLOTS = _gauge("banyan_worker_slots", "worker", "Nodes that may run here at one time.")
SLOTS_TAKEN = _gauge("banyan_worker_slots_taken", "worker", "Nodes that run here now.")
NODES_CLAIMED = _counter("banyan_nodes_claimed_total", "worker", "Nodes taken on.", "wake")
NODE_QUEUE_SECONDS = Metric(
    "banyan_node_queue_seconds",
    "histogram",
    "worker",
    "From when a node was ready to when it was taken on.",
    ("wake",),
    SLOW_S,
)
NODE_SECONDS = Metric(
    "banyan_node_run_seconds",
    "histogram",
    "worker",
    "From when a node was taken on to its suspension or end; waits for children are not in it.",
    ("ended",),
    SLOW_S,
)
NODES_SPAWNED = _counter("banyan_nodes_spawned_total", "worker", "Children made.", "depth")
NODES_FINISHED = _counter(
    "banyan_nodes_finished_total", "worker", "Nodes that ended.", "depth", "outcome"
)
NODE_FAILURES = _counter(
    "banyan_node_failures_total", "worker", "Ends for a reason, budgets and deadlines too.", "code"
)
TREES_FINISHED = _counter(
    "banyan_trees_finished_total",
    "both",
    "Trees that ended by a worker or a caller's cancel; what was lost is counted apart.",
    "status",
)
TREE_SECONDS = Metric(
    "banyan_tree_seconds",
    "histogram",
    "worker",
    "From admission to the end; trees that were opened again are not in it.",
    ("status",),
    SLOW_S,
)
LEASES_LOST = _counter(
    "banyan_leases_lost_total", "worker", "Nodes that were taken away from a worker, or cancelled."
)
HINTS_RESENT = _counter("banyan_hints_resent_total", "worker", "Nodes whose hint was sent again.")

# Turns.
TURNS = _counter("banyan_turns_total", "worker", "Turns recorded.", "kind")
GATE_DECISIONS = _counter(
    "banyan_gate_decisions_total", "worker", "Kinds decided on.", "kind", "by"
)
ACTIONS = _counter(
    "banyan_actions_total", "worker", "Actions by how they came to be valid or not.", "result"
)
TURN_TOKENS = _counter(
    "banyan_turn_tokens_total", "worker", "Tokens charged to budgets.", "policy", "type"
)
COALESCED_CALLS = _counter(
    "banyan_coalesced_calls_total",
    "worker",
    "Model calls that were not made, since another node asked the same at that time.",
    "policy",
)
COST = _counter("banyan_cost_usd_total", "worker", "Money charged, by policies' prices.", "policy")

# Model servers, seen from each worker.
ENGINE_CALLS = _counter(
    "banyan_engine_calls_total", "worker", "Calls of a model server.", "engine", "call", "result"
)
ENGINE_SECONDS = Metric(
    "banyan_engine_call_seconds",
    "histogram",
    "worker",
    "Of a call that was answered.",
    ("engine", "call"),
    FAST_S,
)
ENGINE_LIMIT = _gauge(
    "banyan_engine_calls_limit", "worker", "Calls that may be under way.", "engine"
)
ENGINE_WAITING = _gauge(
    "banyan_engine_calls_waiting",
    "worker",
    "Calls that wait until there are fewer under way, by the server that they would go to.",
    "engine",
)
ENGINE_QUEUE_SECONDS = Metric(
    "banyan_engine_queue_seconds",
    "histogram",
    "worker",
    "From when a call could have been made to when it was; no part of the call's own time.",
    ("engine",),
    FAST_S,
)
ENGINE_IN_FLIGHT = _gauge("banyan_engine_calls_in_flight", "worker", "Calls under way.", "engine")
ENGINE_TOKENS = _counter(
    "banyan_engine_tokens_total",
    "worker",
    "Tokens by a server's own count: `prompt` has `cached` in it.",
    "engine",
    "type",
)

# What workers do beside nodes.
WEBHOOK_ATTEMPTS = _counter(
    "banyan_webhook_attempts_total",
    "worker",
    "Attempts to tell a receiver.",
    "result",
    first=("given_up",),
)
POLICY_MOVES = _counter(
    "banyan_policy_moves_total",
    "worker",
    "Attempts to make a version live.",
    "result",
    first=("rejected", "not_moved"),
)
LOGGED_TREES = _counter(
    "banyan_trajectory_trees_total",
    "worker",
    "Trees for the trajectory log.",
    "result",
    first=("lost",),
)

# Only where BANYAN_METRICS_TENANTS is set.
TENANT_TREES = _counter(
    "banyan_tenant_trees_total", "worker", "A tenant's trees that ended.", "tenant", "status"
)
TENANT_TOKENS = _counter(
    "banyan_tenant_tokens_total", "worker", "Tokens charged to a tenant.", "tenant", "type"
)

BY_TENANT: tuple[Metric, ...] = (TENANT_TREES, TENANT_TOKENS)

METRICS: tuple[Metric, ...] = tuple(
    metric for metric in list(globals().values()) if isinstance(metric, Metric)
)
"""All of them, in the order of this file."""

MAX_DEPTH_LABEL = 8
"""Deeper nodes count as of this depth, so that a label has few values."""


def depth_label(depth: int) -> str:
    """A node's depth as a label."""
    return str(depth) if depth < MAX_DEPTH_LABEL else f"{MAX_DEPTH_LABEL}+"


# Spans, and what they say. Names are OpenTelemetry's, those for generative models where there are;
# what it has no name for begins with `banyan.`.
AGENT = "banyan"
INVOKE_AGENT = "invoke_agent"
CHAT = "chat"

OPERATION = "gen_ai.operation.name"
AGENT_NAME = "gen_ai.agent.name"
CONVERSATION = "gen_ai.conversation.id"
PROVIDER = "gen_ai.provider.name"
REQUEST_MODEL = "gen_ai.request.model"
MAX_TOKENS = "gen_ai.request.max_tokens"
TEMPERATURE = "gen_ai.request.temperature"
TOP_P = "gen_ai.request.top_p"
OUTPUT_TYPE = "gen_ai.output.type"
FINISH_REASONS = "gen_ai.response.finish_reasons"
INPUT_TOKENS = "gen_ai.usage.input_tokens"
OUTPUT_TOKENS = "gen_ai.usage.output_tokens"
CACHED_TOKENS = "gen_ai.usage.cache_read.input_tokens"
SERVER_ADDRESS = "server.address"
SERVER_PORT = "server.port"
ERROR_TYPE = "error.type"
HTTP_METHOD = "http.request.method"
HTTP_ROUTE = "http.route"
HTTP_STATUS = "http.response.status_code"

NODE_PATH = "banyan.node"
NODE_TENANT = "banyan.tenant"
NODE_POLICY = "banyan.policy"
NODE_GENERATION = "banyan.generation"
NODE_WAKE = "banyan.wake"
NODE_ENDED = "banyan.ended"
NODE_QUEUE_S = "banyan.queue_s"
CALL = "banyan.call"
AWAIT_PLACE = "await_place"
ENGINE = "banyan.engine"
LINK = "banyan.link"
SPAN_REQUEST_ID = "banyan.request_id"
