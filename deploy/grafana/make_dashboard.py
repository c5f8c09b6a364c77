"""Writes Banyan's Grafana dashboard from the names of its metrics.

    python deploy/grafana/make_dashboard.py

A test holds the file to what this writes, and every query to the metrics that there are.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from banyan import signals
from banyan.signals import Metric

FILE = Path(__file__).with_name("banyan.json")
_WIDTH, _HEIGHT, _COLUMNS = 8, 8, 3
_SOURCE = {"type": "prometheus", "uid": "${source}"}


@dataclass(frozen=True, slots=True)
class Panel:
    """One graph: a legend and a query for each line. `unit` is Grafana's word for it."""

    title: str
    lines: tuple[tuple[str, str], ...]
    unit: str = "short"
    text: str = ""


def rate(metric: Metric, *by: str, only: str = "") -> str:
    """A counter's growth a second, over all processes."""
    chosen = f"{metric.name}{{{only}}}" if only else metric.name
    return f"sum{_by(by)}(rate({chosen}[$__rate_interval]))"


def quantile(share: float, metric: Metric, *by: str, only: str = "") -> str:
    """A histogram's quantile, over all processes."""
    chosen = f"{metric.name}_bucket{{{only}}}" if only else f"{metric.name}_bucket"
    return f"histogram_quantile({share}, sum{_by((*by, 'le'))}(rate({chosen}[$__rate_interval])))"


def newest(metric: Metric) -> str:
    """What every service process tells alike."""
    return f"max({metric.name})"


def _by(labels: tuple[str, ...]) -> str:
    return f" by ({', '.join(labels)}) " if labels else ""


def _quantiles(metric: Metric, *by: str, only: str = "") -> tuple[tuple[str, str], ...]:
    legend = "".join(f" {{{{{label}}}}}" for label in by)
    return tuple(
        (f"p{round(100 * share)}{legend}", quantile(share, metric, *by, only=only))
        for share in (0.5, 0.95)
    )


_CACHED = rate(signals.ENGINE_TOKENS, "engine", only='type="cached"')
_PROMPT = rate(signals.ENGINE_TOKENS, "engine", only='type="prompt"')

ROWS: dict[str, tuple[Panel, ...]] = {
    "Solves": (
        Panel(
            "Begun and ended",
            (
                ("begun", rate(signals.TREES_ADMITTED)),
                ("resumed", rate(signals.TREES_RESUMED)),
                ("{{status}}", rate(signals.TREES_FINISHED, "status")),
            ),
            "ops",
        ),
        Panel("Time to the end", _quantiles(signals.TREE_SECONDS, "status"), "s"),
        Panel(
            "Reasons",
            (("{{code}}", rate(signals.NODE_FAILURES, "code")),),
            "ops",
            "Of nodes that did not end well: budgets, deadlines, engines.",
        ),
    ),
    "Queue": (
        Panel(
            "Nodes",
            (
                ("due", newest(signals.QUEUE_NODES)),
                ("running", newest(signals.RUNNING_NODES)),
                ("slots", f"sum({signals.SLOTS.name})"),
                ("slots taken", f"sum({signals.SLOTS_TAKEN.name})"),
            ),
        ),
        Panel("Oldest due node", (("age", newest(signals.QUEUE_OLDEST)),), "s"),
        Panel("Time in the queue", _quantiles(signals.NODE_QUEUE_SECONDS, "wake"), "s"),
    ),
    "Nodes": (
        Panel(
            "Made and ended",
            (
                ("made", rate(signals.NODES_SPAWNED)),
                ("taken on, {{wake}}", rate(signals.NODES_CLAIMED, "wake")),
                ("{{outcome}}", rate(signals.NODES_FINISHED, "outcome")),
            ),
            "ops",
        ),
        Panel("Made, by depth", (("{{depth}}", rate(signals.NODES_SPAWNED, "depth")),), "ops"),
        Panel("Time that a node runs", _quantiles(signals.NODE_SECONDS, "ended"), "s"),
        Panel(
            "Lost and sent again",
            (
                ("leases that ran out", f"max(rate({signals.LEASES_EXPIRED.name}[5m]))"),
                ("trees that were lost", f"max(rate({signals.TREES_LOST.name}[5m]))"),
                ("nodes taken away", rate(signals.LEASES_LOST)),
                ("hints sent again", rate(signals.HINTS_RESENT)),
            ),
            "ops",
        ),
        Panel(
            "Decisions",
            (("{{kind}}, {{by}}", rate(signals.GATE_DECISIONS, "kind", "by")),),
            "ops",
            "`choice`: by log-probabilities; `forced`: one kind alone was possible.",
        ),
        Panel(
            "Turns and actions",
            (
                ("turns, {{kind}}", rate(signals.TURNS, "kind")),
                ("{{result}}", rate(signals.ACTIONS, "result")),
            ),
            "ops",
        ),
    ),
    "Model servers": (
        Panel(
            "Calls",
            (
                ("{{engine}} {{result}}", rate(signals.ENGINE_CALLS, "engine", "result")),
                ("coalesced, {{policy}}", rate(signals.COALESCED_CALLS, "policy")),
            ),
            "ops",
        ),
        Panel("Time of a completion", _quantiles(signals.ENGINE_SECONDS, "engine"), "s"),
        Panel(
            "Under way",
            (
                ("{{engine}}", f"sum by (engine) ({signals.ENGINE_IN_FLIGHT.name})"),
                ("{{engine}} limit", f"sum by (engine) ({signals.ENGINE_LIMIT.name})"),
                ("{{engine}} waiting", f"sum by (engine) ({signals.ENGINE_WAITING.name})"),
            ),
            text="`limit`: of all workers, found by the server's queue; `waiting`: in workers.",
        ),
        Panel("Time to its making", _quantiles(signals.ENGINE_QUEUE_SECONDS, "engine"), "s"),
        Panel(
            "Tokens",
            (("{{engine}} {{type}}", rate(signals.ENGINE_TOKENS, "engine", "type")),),
            "ops",
        ),
        Panel(
            "Share of prompts served from the prefix cache",
            (("{{engine}}", f"{_CACHED} / {_PROMPT}"),),
            "percentunit",
        ),
        Panel(
            "Charged",
            (
                ("USD/s, {{policy}}", rate(signals.COST, "policy")),
                ("tokens/s, {{policy}} {{type}}", rate(signals.TURN_TOKENS, "policy", "type")),
            ),
        ),
    ),
    "Service": (
        Panel(
            "Requests",
            (("{{route}} {{status}}", rate(signals.HTTP_REQUESTS, "route", "status")),),
            "reqps",
        ),
        Panel("Time of a reply", _quantiles(signals.HTTP_SECONDS, "route"), "s"),
        Panel("Problems", (("{{code}}", rate(signals.PROBLEMS, "code")),), "ops"),
        Panel("Streams of events", (("open", f"sum({signals.EVENT_STREAMS.name})"),)),
        Panel(
            "Webhooks",
            (
                ("{{result}}", rate(signals.WEBHOOK_ATTEMPTS, "result")),
                ("waiting", newest(signals.WEBHOOKS_WAITING)),
            ),
        ),
        Panel(
            "Memory of the store",
            (("used", newest(signals.STORE_BYTES)), ("limit", newest(signals.STORE_MAX_BYTES))),
            "bytes",
        ),
    ),
    "Weights and logs": (
        Panel(
            "Live versions",
            (
                (
                    "{{policy}}: {{version}}",
                    f"max by (policy, version) ({signals.POLICY_LIVE.name})",
                ),
            ),
        ),
        Panel(
            "Versions and moves",
            (
                ("{{state}}", f"max by (state) ({signals.POLICY_VERSIONS.name})"),
                ("moves, {{result}}", f"sum by (result) ({signals.POLICY_MOVES.name})"),
            ),
        ),
        Panel(
            "Trajectory log",
            (
                ("waiting", newest(signals.LOG_WAITING)),
                ("{{result}} a second", rate(signals.LOGGED_TREES, "result")),
            ),
        ),
        Panel("Loops that failed", (("{{loop}}", rate(signals.LOOP_FAILURES, "loop")),), "ops"),
        Panel(
            "Releases",
            (
                (
                    "{{program}} {{version}}",
                    f"count by (program, version) ({signals.BUILD.name})",
                ),
            ),
        ),
        Panel(
            "Tenants",
            (
                ("{{tenant}} {{status}}", rate(signals.TENANT_TREES, "tenant", "status")),
                ("{{tenant}} {{type}}", rate(signals.TENANT_TOKENS, "tenant", "type")),
            ),
            "ops",
            "Empty unless BANYAN_METRICS_TENANTS is set.",
        ),
    ),
}


def dashboard() -> dict[str, Any]:
    """The dashboard as Grafana imports it."""
    panels: list[dict[str, Any]] = []
    y = 0
    for title, row in ROWS.items():
        place = {"x": 0, "y": y, "w": _WIDTH * _COLUMNS, "h": 1}
        panels.append(
            {"id": len(panels) + 1, "type": "row", "title": title, "gridPos": place, "panels": []}
        )
        y += 1
        for index, panel in enumerate(row):
            x = _WIDTH * (index % _COLUMNS)
            below = y + _HEIGHT * (index // _COLUMNS)
            panels.append(_panel(len(panels) + 1, panel, x, below))
        y += _HEIGHT * -(-len(row) // _COLUMNS)
    return {
        "uid": "banyan",
        "title": "Banyan",
        "tags": ["banyan"],
        "schemaVersion": 39,
        "refresh": "30s",
        "time": {"from": "now-3h", "to": "now"},
        "templating": {
            "list": [
                {"name": "source", "type": "datasource", "query": "prometheus", "label": "Source"}
            ]
        },
        "panels": panels,
    }


def _panel(number: int, panel: Panel, x: int, y: int) -> dict[str, Any]:
    return {
        "id": number,
        "type": "timeseries",
        "title": panel.title,
        "description": panel.text,
        "datasource": _SOURCE,
        "gridPos": {"x": x, "y": y, "w": _WIDTH, "h": _HEIGHT},
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
        "options": {"legend": {"displayMode": "list", "placement": "bottom"}},
        "targets": [
            {
                "refId": chr(ord("A") + index),
                "datasource": _SOURCE,
                "legendFormat": legend,
                "expr": query,
            }
            for index, (legend, query) in enumerate(panel.lines)
        ],
    }


def written() -> str:
    """The file's text."""
    return json.dumps(dashboard(), indent=2) + "\n"


if __name__ == "__main__":
    FILE.write_text(written(), encoding="utf-8")
    sys.stdout.write(f"{FILE}\n")
