"""What a PromQL query asks for: the metrics, and the labels that it matches and groups by."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import promql_parser as promql


@dataclass(frozen=True, slots=True)
class Asked:
    """One selector of a query, with the labels that it and what is around it name."""

    series: str
    labels: frozenset[str]


def asked_by(query: str) -> list[Asked]:
    """Every selector of the query. Raises ValueError for what is no PromQL."""
    return list(_walk(promql.parse(query.replace("$__rate_interval", "5m")), frozenset()))


def _walk(expr: Any, grouped: frozenset[str]) -> Iterator[Asked]:
    match expr:
        case promql.VectorSelector():
            matched = {matcher.name for matcher in expr.matchers.matchers}
            yield Asked(expr.name or "", grouped | matched)
        case promql.MatrixSelector():
            yield from _walk(expr.vector_selector, grouped)
        case promql.AggregateExpr():
            by = expr.modifier.labels if expr.modifier else ()
            yield from _walk(expr.expr, grouped | set(by))
        case promql.BinaryExpr():
            yield from _walk(expr.lhs, grouped)
            yield from _walk(expr.rhs, grouped)
        case promql.Call():
            for argument in expr.args:
                yield from _walk(argument, grouped)
        case promql.ParenExpr() | promql.UnaryExpr() | promql.SubqueryExpr():
            yield from _walk(expr.expr, grouped)
        case promql.NumberLiteral() | promql.StringLiteral():
            return
        case _:
            raise TypeError(f"no rule for {type(expr).__name__}")
