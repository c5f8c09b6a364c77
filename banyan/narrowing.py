"""Narrowing: inputs become the records that the goal names, or the counts of a field. Pure.

Both come of a `split` that names fields (`banyan/selection.py`), and take no model.
"""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import JsonValue

from banyan import aggregates, counts, notices, specialists, value_counts
from banyan.action import Delegate
from banyan.effects import Selected
from banyan.errors import InvalidAction
from banyan.node import Node, Outcome
from banyan.selection import Query
from banyan.spans import merge
from banyan.task import Task

REFUSED = "Nothing was selected: "
"""How an observation begins that says why a selection was not made."""

_NONE = "records like that"


def query_of(node: Node, action: Delegate, task: Task) -> Query | None:
    """What is to be selected before the inputs are divided; None for all.

    Where labels are asked for, these are what is counted, but for labels that name the field.
    Raises InvalidAction for a policy that is not on offer, as `delegation.cut` would afterwards.
    """
    split = action.split
    if split is None:
        return None
    where = {name: values for name, values in split.where.items() if values}
    count_by = split.count_by
    if count_by is not None and split.labels and not _are_fields(split.labels, count_by):
        count_by = None
    if not (where or count_by):
        return None
    specialists.of_child(node, task, split.policy)
    return Query(where, count_by)


def _are_fields(labels: Sequence[str], field: str) -> bool:
    """Whether fields were written for labels: `User ID` and `Date`, where `User` is counted by."""
    return any(field.lower() in label.lower().split() for label in labels)


def may_select(node: Node) -> bool:
    """Whether fields are worth naming to the agent: not where that has led to nothing before."""
    return not any(one.observation.startswith(REFUSED) for one in node.exchanges)


def narrowed(node: Node, selected: Selected) -> Node:
    """The node with the chosen records for its inputs; what stood before these is shown beside.

    They are a document of their own, in which each is a passage that stands for its true place.
    Inputs without fields stay, unless it is records that are to be labelled.
    """
    split = selected.effect.action.split
    if selected.span is None or split is None:
        raise InvalidAction("no record was chosen")
    others = () if split.labels else selected.found.others
    return node.model_copy(
        update={
            "inputs": (selected.span, *others),
            "context": selected.found.headers,
            "read_to": (),
            "exchanges": (),
            "seen": (),
            "overflow": False,
            "notices": notices.union(node.notices, (notices.RECORDS_SELECTED,)),
        }
    )


def counted(node: Node, selected: Selected) -> Node:
    """The node with what was counted, as if it were the result of its parts.

    These are a field's values, or that no record was chosen: then nothing is left to be read.
    """
    query, split = selected.effect.query, selected.effect.action.split
    labels = split.labels if split is not None else ()
    answer: dict[str, JsonValue]
    rules: aggregates.Rules
    if query.count_by is not None:
        answer, rules = value_counts.result(query.count_by, selected.found)
    elif labels:
        answer, rules = dict.fromkeys(labels, 0), counts.rules(labels)
    else:
        answer, rules = {_NONE: 0}, {_NONE: "count"}
    others = {*selected.found.others}
    whole = merge(span for span in node.inputs if span not in others)
    told = (notices.RECORDS_SELECTED,) if query.where else ()
    return node.model_copy(
        update={
            "outcomes": (Outcome(status="ok", answer=answer, citations=whole, covered=whole),),
            "child_rules": rules,
            "exchanges": (),
            "seen": (),
            "notices": notices.union(node.notices, told),
        }
    )
