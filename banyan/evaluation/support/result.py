"""Result: judgements as lines, and what they add up to."""

from __future__ import annotations

import math
from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from banyan.evaluation.stats import Estimate, estimate
from banyan.evaluation.support.judge import Verdict
from banyan.evaluation.support.sample import Pair, PairKind

_CHANCE = 0.5
_Z = 1.96
"""Standard deviations of a normal distribution on either side that hold 95 %."""


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Judgement(_Model):
    """One pair and its verdict, for a person to read. See `Pair` and `Verdict`."""

    kind: PairKind
    item: str
    place: tuple[int, int, int]
    question: str
    sentence: str
    quote: str
    lexical: float | None
    supported: bool | None
    log_odds: float | None
    error: str | None


class Support(_Model):
    """Shares with their 95 % intervals; null where there was nothing to judge.

    `supported`: of the sampled citations, those that the judge says support their sentence.
    `control_true` and `control_false`: of the control pairs, those that it judged right;
    `reliability` is the mean of both, 0.5 by guessing. `lexical` is the share of a sentence's
    telling words that stand in its quote, `lexical_control` the same beside another item's quote.
    """

    set: str
    model: str
    has_scores: bool
    border: float | None
    """Log odds above which the judge means yes, fitted on the controls; else zero is the border."""
    num_answers: int
    num_citations: int
    failed: int
    supported: Estimate | None
    control_true: Estimate | None
    control_false: Estimate | None
    reliability: float | None
    lexical: Estimate | None
    lexical_control: Estimate | None

    @property
    def can_judge(self) -> bool:
        """Whether the judge tells both kinds of controls better than by guessing, at 95 %."""
        kinds = (self.control_true, self.control_false)
        return all(one is not None and _lowest(one) > _CHANCE for one in kinds)


def _lowest(share: Estimate) -> float:
    """The lower end of Wilson's 95 % interval (Wilson 1927).

    The bootstrap's is empty where all samples agree, as few as they may be.
    """
    n, z2 = share.n, _Z**2
    spread = _Z * math.sqrt(share.mean * (1 - share.mean) / n + z2 / (4 * n * n))
    return (share.mean + z2 / (2 * n) - spread) / (1 + z2 / n)


def judgement(pair: Pair, verdict: Verdict) -> Judgement:
    """The line of one pair."""
    return Judgement(
        kind=pair.kind,
        item=pair.item,
        place=pair.place,
        question=pair.question,
        sentence=pair.sentence,
        quote=pair.quote,
        lexical=pair.lexical,
        supported=verdict.supported,
        log_odds=verdict.log_odds,
        error=verdict.error,
    )


def support(
    judgements: Sequence[Judgement],
    *,
    name: str,
    model: str,
    has_scores: bool,
    num_answers: int,
    num_citations: int,
    border: float | None = None,
    seed: int = 0,
) -> Support:
    """What the judgements add up to."""

    def right(kind: PairKind, word: bool) -> Estimate | None:  # noqa: FBT001
        known = [one for one in judgements if one.kind == kind and one.supported is not None]
        return _share([float(one.supported is word) for one in known], seed)

    def lexical(kind: PairKind) -> Estimate | None:
        shares = [one.lexical for one in judgements if one.kind == kind]
        return _share([one for one in shares if one is not None], seed)

    true, false = right("control_true", True), right("control_false", False)
    return Support(
        set=name,
        model=model,
        has_scores=has_scores,
        border=border,
        num_answers=num_answers,
        num_citations=num_citations,
        failed=sum(one.supported is None for one in judgements),
        supported=right("cited", True),
        control_true=true,
        control_false=false,
        reliability=(true.mean + false.mean) / 2 if true and false else None,
        lexical=lexical("cited"),
        lexical_control=lexical("control_false"),
    )


def _share(values: Sequence[float], seed: int) -> Estimate | None:
    return estimate([(value,) for value in values], seed=seed) if values else None
