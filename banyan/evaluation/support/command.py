"""Command: judge a sample of a run's citations; what `banyan eval-citations` calls."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from banyan.evaluation.command import guarded
from banyan.evaluation.past import read_past
from banyan.evaluation.plan import SERVICE, Plan
from banyan.evaluation.sets import load_set
from banyan.evaluation.stage import Stage, open_stage
from banyan.evaluation.support.border import fitted
from banyan.evaluation.support.judge import Judge
from banyan.evaluation.support.result import Judgement, Support, judgement, support
from banyan.evaluation.support.sample import Pair, cited_pairs, controls, draw
from banyan.evaluation.systems import open_engine
from banyan.local.errors import Missing
from banyan.local.stop_signal import StopSignal
from banyan.local.up import Report

OnJudgement = Callable[[Judgement], None]


@dataclass(frozen=True, slots=True)
class Sample:
    """What is judged, and what it was drawn from."""

    pairs: list[Pair]
    num_answers: int
    num_citations: int


def lines_of(plan: Plan) -> Path:
    """Where the judgements are written."""
    return plan.out / f"{plan.sets[0]}.citations.jsonl"


def judge_citations(
    plan: Plan, num_samples: int, *, report: Report, on_judgement: OnJudgement, stop: StopSignal
) -> Support:
    """Judge `num_samples` citations of the service's answers in `plan.out`, and their controls.

    `plan` names one set and the judge's engine. Raises Missing where there are no answers or none
    has a citation, and what the all-in-one raises.
    """
    sample = _sample(plan, num_samples)
    with open_stage(plan, report=report, stop=stop) as stage:
        return asyncio.run(guarded(_judge(plan, sample, stage, on_judgement), stage, stop))


def _sample(plan: Plan, num_samples: int) -> Sample:
    (name,) = plan.sets
    past = read_past(plan.out, name, SERVICE)
    questions = {one.question.id: one.question for one in load_set(name, plan.data)}
    pairs = cited_pairs(past.records, questions)
    if not pairs:
        raise Missing(
            f"no answer to {name} in {plan.out} has a citation",
            hint="Run `banyan eval` with the service first.",
        )
    drawn = draw(pairs, num_samples, plan.seed)
    return Sample([*drawn, *controls(drawn, pairs, plan.seed)], len(past.records), len(pairs))


async def _judge(plan: Plan, sample: Sample, stage: Stage, on_judgement: OnJudgement) -> Support:
    (name,) = plan.sets
    judgements = []
    async with open_engine(plan, stage) as engine:
        if engine is None:
            raise Missing("a judge needs a model server", hint="Give --engine or --engine-kind.")
        abilities = await engine.abilities()
        judge = Judge(engine)
        with lines_of(plan).open("w", encoding="utf-8") as file:
            for pair in sample.pairs:
                one = judgement(pair, await judge.ask(pair))
                file.write(one.model_dump_json() + "\n")
                file.flush()
                judgements.append(one)
                on_judgement(one)
    judgements, border = fitted(judgements)
    lines_of(plan).write_text("".join(one.model_dump_json() + "\n" for one in judgements))
    result = support(
        judgements,
        name=name,
        model=abilities.model,
        has_scores=abilities.scores,
        num_answers=sample.num_answers,
        num_citations=sample.num_citations,
        border=border,
        seed=plan.seed,
    )
    summary = lines_of(plan).with_suffix(".json")
    summary.write_text(result.model_dump_json(indent=2) + "\n")
    return result
