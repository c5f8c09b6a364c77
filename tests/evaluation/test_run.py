"""A run asks each system each question once, also over an interruption."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from pydantic import JsonValue

from banyan.evaluation.code import code_mark
from banyan.evaluation.measure import BITS_PER_BYTE
from banyan.evaluation.plan import SERVICE, Plan
from banyan.evaluation.question import Answered, Question
from banyan.evaluation.records import Journal, Record
from banyan.evaluation.run import run_set
from banyan.evaluation.summary import ALL, Row, summarise
from banyan.evaluation.systems import Cast, InputTokens
from tests.evaluation.makers import answered, item, record

ITEMS = [item("q1"), item("q2", bucket="two")]


class Scripted:
    """Says `answer`; fails at the questions in `failing`, and breaks at those in `breaking`."""

    def __init__(
        self,
        name: str,
        answer: str,
        *,
        failing: tuple[str, ...] = (),
        breaking: str = "",
        settings: Mapping[str, JsonValue] | None = None,
    ) -> None:
        self.name = name
        self.settings: Mapping[str, JsonValue] = settings or {}
        self.asked: list[str] = []
        self._answer = answer
        self._failing = failing
        self._breaking = breaking

    async def answer(self, question: Question) -> Answered:
        self.asked.append(question.id)
        if question.id == self._breaking:
            raise RuntimeError("the machine was switched off")
        if question.id in self._failing:
            return answered(None, status="failed", error="engine_unavailable: gone")
        return answered(self._answer)

    async def close(self) -> None:
        self.asked.clear()


async def run(
    out: Path,
    *systems: Scripted,
    plan: Plan | None = None,
    peak: Callable[[], int | None] = lambda: None,
) -> list[Record]:
    heard: list[Record] = []
    with Journal(out / "set.jsonl") as journal:
        records = await run_set(
            "set",
            ITEMS,
            plan=plan or Plan(sets=("set",)),
            cast=Cast(systems, "a-model", InputTokens(None), engine_peak_bytes=peak),
            journal=journal,
            on_record=heard.append,
        )
    assert sorted(heard, key=repr) == sorted(records, key=repr)
    return records


async def test_every_item_goes_through_all_systems(tmp_path: Path) -> None:
    records = await run(tmp_path, Scripted(SERVICE, "yes"), Scripted("head", "no"))
    assert [(one.item, one.system, one.score) for one in records] == [
        ("q1", SERVICE, 1.0),
        ("q1", "head", 0.0),
        ("q2", SERVICE, 1.0),
        ("q2", "head", 0.0),
    ]
    assert records[0].input_tokens == len("Is q1 so?") // 4 + 1


async def test_what_was_answered_is_not_asked_again(tmp_path: Path) -> None:
    first = await run(tmp_path, Scripted(SERVICE, "yes"))
    again = Scripted(SERVICE, "no")
    assert await run(tmp_path, again) == first
    assert again.asked == []


async def test_all_is_asked_again_where_that_is_wanted(tmp_path: Path) -> None:
    await run(tmp_path, Scripted(SERVICE, "no"))
    again = Scripted(SERVICE, "yes")
    plan = Plan(sets=("set",), fresh=True)
    assert [one.score for one in await run(tmp_path, again, plan=plan)] == [1.0, 1.0]
    assert again.asked == ["q1", "q2"]


async def test_a_record_names_the_state_of_the_code(tmp_path: Path) -> None:
    records = await run(tmp_path, Scripted(SERVICE, "yes"))
    assert {one.code for one in records} == {code_mark()}


async def test_what_failed_is_asked_again(tmp_path: Path) -> None:
    await run(tmp_path, Scripted(SERVICE, "yes", failing=("q2",)))
    again = Scripted(SERVICE, "yes")
    records = await run(tmp_path, again)
    assert again.asked == ["q2"]
    assert [one.answered.status for one in records] == ["completed", "completed"]


async def test_what_was_answered_before_a_crash_is_kept(tmp_path: Path) -> None:
    with pytest.RaisesGroup(RuntimeError):
        await run(tmp_path, Scripted(SERVICE, "yes", breaking="q2"))
    again = Scripted(SERVICE, "yes")
    await run(tmp_path, again)
    assert again.asked == ["q2"]


async def test_other_settings_are_another_question(tmp_path: Path) -> None:
    await run(tmp_path, Scripted(SERVICE, "yes", settings={"gate": None}), Scripted("head", "yes"))
    service = Scripted(SERVICE, "yes", settings={"gate": "always"})
    head = Scripted("head", "yes")
    records = await run(tmp_path, service, head)
    assert service.asked == ["q1", "q2"]
    assert head.asked == []  # a gate is nothing to a baseline
    assert records[0].settings == {"model": "a-model", "window": 2_048, "gate": "always"}


async def test_another_window_is_another_question(tmp_path: Path) -> None:
    await run(tmp_path, Scripted("head", "yes"))
    head = Scripted("head", "yes")
    await run(tmp_path, head, plan=Plan(sets=("set",), window=4_096))
    assert head.asked == ["q1", "q2"]


async def test_a_record_says_what_the_model_server_held_at_most(tmp_path: Path) -> None:
    peaks = iter((100, 300))
    records = await run(tmp_path, Scripted(SERVICE, "yes"), peak=lambda: next(peaks))
    assert [one.engine_peak_bytes for one in records] == [100, 300]
    assert summarise("set", records).rows[-1].engine_peak_bytes == 300


async def test_several_questions_can_be_in_flight(tmp_path: Path) -> None:
    records = await run(tmp_path, Scripted(SERVICE, "yes"), plan=Plan(sets=("set",), parallel=4))
    assert [one.item for one in records] == ["q1", "q2"]


def mean(row: Row) -> float:
    assert row.score is not None
    return row.score.mean


def test_a_summary_says_how_many_actions_were_valid_at_the_first_try() -> None:
    two = answered("yes", actions=6, invalid_actions=1, retries=2, determined_actions=3)
    records = [
        record("q1", SERVICE, 1.0, answered=two),
        record("q2", SERVICE, 1.0, answered=answered("yes", actions=2)),
        record("q1", "head", 1.0),
    ]
    service, head = summarise("set", records).rows
    assert (service.actions, service.determined_actions) == (8, 3)
    assert service.first_try == 7 / 8
    assert service.retries_per_100_turns == 20.0
    assert (head.actions, head.first_try, head.retries_per_100_turns) == (0, None, None)


def test_what_failed_has_no_score_where_less_is_better() -> None:
    failed = answered(None, status="failed")
    records = [
        record("q1", "truncation", 1.5),
        record("q1", "summary", 1.25),
        record("q2", "truncation", 2.0),
        record("q2", "summary", 0.0, answered=failed),
        record("q2", "nothing", 0.0, answered=failed),
    ]
    summary = summarise("set", records, measure=BITS_PER_BYTE)
    truncation, kept, nothing = summary.rows
    assert [mean(truncation), mean(kept)] == [1.75, 1.25]
    assert (kept.failed, nothing.failed, nothing.score) == (1, 1, None)
    assert [(one.system, one.other) for one in summary.versus] == [("summary", "truncation")]
    assert (summary.versus[0].difference.mean, summary.versus[0].difference.n) == (-0.25, 1)


def test_a_summary_adds_up_costs_and_compares_item_by_item() -> None:
    cost = answered("yes", prompt_tokens=300, completion_tokens=100, llm_calls=3, nodes=2, depth=1)
    cited = answered("no", coverage=0.5, prompt_tokens=50)
    records = [
        record("q1", SERVICE, 1.0, answered=cost),
        record("q1", "head", 0.0, answered=cited),
        record("q2", SERVICE, 1.0, bucket="two", answered=cost),
        record("q2", "head", 1.0, bucket="two", answered=cited),
    ]
    summary = summarise("set", records)
    assert [(row.bucket, row.system) for row in summary.rows] == [
        (bucket, system) for bucket in ("one", "two", ALL) for system in (SERVICE, "head")
    ]
    service, head = summary.rows[-2:]
    assert [mean(service), mean(head)] == [1.0, 0.5]
    assert service.tokens_per_input_token == 4.0
    assert (service.prompt_tokens, service.llm_calls, service.depth) == (600, 3, 1)
    assert (service.coverage, head.coverage) == (None, 0.5)
    assert [one.difference.mean for one in summary.versus] == [1.0, 0.0, 0.5]
    assert summary.versus[-1].other == "head"


def test_a_summary_of_rouge_is_the_geometric_mean_of_the_measures_means() -> None:
    records = [
        record("q1", "head", 0.3, parts={"r1": 0.4, "r2": 0.2, "rl": 0.3, "evidence": 0.5}),
        record("q2", "head", 0.0, parts={"r1": 0.2, "r2": 0.0, "rl": 0.1}),
    ]
    row = summarise("set", records).rows[0]
    assert mean(row) == pytest.approx((0.3 * 0.1 * 0.2) ** (1 / 3))
    assert row.parts["evidence"] == 0.5


def test_citations_that_stand_are_a_share_of_all() -> None:
    places = ({"document": 0, "start": 0, "end": 3}, {"document": 0, "start": 4, "end": 9})
    one = answered("yes", citations=places, resolved=1)
    row = summarise("set", [record("q1", SERVICE, 1.0, answered=one)]).rows[0]
    assert (row.citations, row.resolved) == (2, 0.5)
