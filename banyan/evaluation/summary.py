"""Summary: what the records of a set add up to, for each bucket and system and for all buckets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import fmean

from pydantic import BaseModel, ConfigDict

from banyan.evaluation.measure import SHARE, Measure, Unit
from banyan.evaluation.metrics import ROUGE
from banyan.evaluation.records import Record
from banyan.evaluation.stats import Estimate, Measures, difference, estimate

ALL = "all"
"""The bucket that stands for every one."""


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Row(_Model):
    """One system in one bucket. Tokens are sums; calls, nodes, depth and seconds are means.

    `score` is null where nothing could be scored. `resolved` is the share of citations whose quote
    stands in the document, null without any; `coverage` the mean of those answers that know theirs.
    `first_try` is the share of `actions` that were valid as the model first wrote them; turns are
    actions and retries, without those that no model was asked for. `engine_peak_bytes` is what the
    model server had held at most when the last of these answers was there, for whichever system;
    null where it was not started here.
    """

    bucket: str
    system: str
    score: Estimate | None
    parts: dict[str, float]
    failed: int
    partial: int
    input_tokens: int
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    tokens_per_input_token: float
    llm_calls: float
    nodes: float
    depth: float
    seconds: float
    citations: int
    resolved: float | None
    coverage: float | None
    actions: int
    first_try: float | None
    retries_per_100_turns: float | None
    determined_actions: int
    engine_peak_bytes: int | None


class Versus(_Model):
    """A system minus another one, over the items that both answered."""

    bucket: str
    system: str
    other: str
    difference: Estimate


class Summary(_Model):
    """One set. `notes` are sentences on what was run."""

    set: str
    unit: Unit = "share"
    notes: tuple[str, ...] = ()
    rows: tuple[Row, ...]
    versus: tuple[Versus, ...]


def summarise(
    name: str,
    records: Sequence[Record],
    *,
    seed: int = 0,
    measure: Measure = SHARE,
    notes: tuple[str, ...] = (),
) -> Summary:
    """Buckets in the order of the records, then all of them together where there are several."""
    buckets = list(dict.fromkeys(record.bucket for record in records))
    systems = list(dict.fromkeys(record.system for record in records))
    if len(buckets) > 1:
        buckets.append(ALL)
    rows, versus = [], []
    for bucket in buckets:
        inside = [one for one in records if bucket in (ALL, one.bucket)]
        by_system = {system: [one for one in inside if one.system == system] for system in systems}
        rows += [_row(bucket, name, its, seed, measure) for name, its in by_system.items() if its]
        for ours, theirs in measure.pairs(systems):
            left = scored(by_system.get(ours, ()), measure)
            right = scored(by_system.get(theirs, ()), measure)
            versus += _versus(bucket, left, right, seed)
    return Summary(set=name, unit=measure.unit, notes=notes, rows=tuple(rows), versus=tuple(versus))


def scored(records: Sequence[Record], measure: Measure) -> list[Record]:
    """Those that count for the score: all, but for what failed where less is better."""
    return [one for one in records if one.stands or not measure.less_is_better]


def measures(record: Record) -> Measures:
    """What the headline is made of: the three measures of ROUGE, else the score."""
    if all(name in record.parts for name in ROUGE):
        return tuple(record.parts[name] for name in ROUGE)
    return (record.score,)


def _row(bucket: str, system: str, records: Sequence[Record], seed: int, measure: Measure) -> Row:
    rows = [measures(record) for record in scored(records, measure)]
    answers = [record.answered for record in records]

    def total(field: Callable[[Record], int]) -> int:
        return sum(map(field, records))

    input_tokens = total(lambda one: one.input_tokens)
    prompt = total(lambda one: one.answered.prompt_tokens)
    completion = total(lambda one: one.answered.completion_tokens)
    citations = total(lambda one: len(one.answered.citations))
    resolved = total(lambda one: one.answered.resolved)
    covered = [one.coverage for one in answers if one.coverage is not None]
    actions = total(lambda one: one.answered.actions)
    invalid = total(lambda one: one.answered.invalid_actions)
    retries = total(lambda one: one.answered.retries)
    peaks = [one.engine_peak_bytes for one in records if one.engine_peak_bytes is not None]
    return Row(
        bucket=bucket,
        system=system,
        score=estimate(rows, seed=seed) if rows else None,
        parts=_parts(records),
        failed=sum(one.status == "failed" for one in answers),
        partial=sum(one.status == "partial" for one in answers),
        input_tokens=input_tokens,
        prompt_tokens=prompt,
        cached_tokens=total(lambda one: one.answered.cached_tokens),
        completion_tokens=completion,
        tokens_per_input_token=(prompt + completion) / max(1, input_tokens),
        llm_calls=fmean(one.llm_calls for one in answers),
        nodes=fmean(one.nodes for one in answers),
        depth=fmean(one.depth for one in answers),
        seconds=fmean(one.seconds for one in answers),
        citations=citations,
        resolved=resolved / citations if citations else None,
        coverage=fmean(covered) if covered else None,
        actions=actions,
        first_try=1 - invalid / actions if actions else None,
        retries_per_100_turns=100 * retries / (actions + retries) if actions else None,
        determined_actions=total(lambda one: one.answered.determined_actions),
        engine_peak_bytes=max(peaks, default=None),
    )


def _parts(records: Sequence[Record]) -> dict[str, float]:
    """The mean of each part over the answers that have it."""
    names = dict.fromkeys(name for record in records for name in record.parts)
    return {
        name: fmean(record.parts[name] for record in records if name in record.parts)
        for name in names
    }


def _versus(
    bucket: str, ours: Sequence[Record], theirs: Sequence[Record], seed: int
) -> list[Versus]:
    """One comparison, or none where no item was answered by both."""
    other = {record.item: measures(record) for record in theirs}
    pairs = [(measures(one), other[one.item]) for one in ours if one.item in other]
    if not pairs:
        return []
    left, right = zip(*pairs, strict=True)
    return [
        Versus(
            bucket=bucket,
            system=ours[0].system,
            other=theirs[0].system,
            difference=difference(left, right, seed=seed),
        )
    ]
