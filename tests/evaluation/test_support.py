"""Citations are judged, and so is the judge."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from banyan.errors import EngineUnavailable
from banyan.evaluation.plan import SERVICE
from banyan.evaluation.question import Question
from banyan.evaluation.records import Record
from banyan.evaluation.support.border import fit, fitted
from banyan.evaluation.support.judge import Judge, Verdict
from banyan.evaluation.support.result import Judgement, Support, judgement, support
from banyan.evaluation.support.sample import Pair, cited_pairs, controls, draw
from banyan.evaluation.support.table import CANNOT
from banyan.ports import Message
from banyan.testing import ScriptedEngine
from tests.cli.commands import banyan
from tests.evaluation.makers import answered, record

TREES = "A banyan drops aerial roots from its branches. The roots thicken into many trunks."
SHIPS = "The harbour master counted forty grey ships before noon. None of them carried grain."
QUESTIONS = {
    "trees": Question(id="trees", bucket="one", goal="How does it grow?", documents=(TREES,)),
    "ships": Question(id="ships", bucket="one", goal="How many ships?", documents=("-", SHIPS)),
}


def cited(item: str, answer: str, document: int, text: str) -> Record:
    place = {"document": document, "start": 0, "end": len(text)}
    return record(item, SERVICE, 1.0, answered=answered(answer, citations=(place,)))


RECORDS = [
    cited("trees", "It is old. Its roots thicken into trunks.", 0, TREES),
    cited("ships", "Forty ships came.", 1, SHIPS),
]


def pair(sentence: str, quote: str = TREES) -> Pair:
    return Pair("cited", "trees", (0, 0, len(quote)), "How does it grow?", sentence, quote)


def test_a_citation_stands_by_the_sentence_that_shares_most_words_with_it() -> None:
    trees, ships = cited_pairs(RECORDS, QUESTIONS)
    assert (trees.sentence, trees.quote) == ("Its roots thicken into trunks.", TREES)
    assert (ships.sentence, ships.quote, ships.place) == (
        "Forty ships came.",
        SHIPS,
        (1, 0, len(SHIPS)),
    )


def test_answers_without_words_or_to_unknown_questions_have_no_pairs() -> None:
    empty = record("trees", SERVICE, 0.0, answered=answered(None, status="failed"))
    assert cited_pairs([empty, cited("gone", "So.", 0, TREES)], QUESTIONS) == []


def test_the_lexical_share_is_of_the_sentences_telling_words() -> None:
    assert pair("The roots thicken into gold.").lexical == pytest.approx(2 / 3)
    assert pair("It was so.").lexical is None


def test_a_sample_depends_on_its_seed_alone() -> None:
    pairs = [pair(f"Sentence {number}.") for number in range(40)]
    assert draw(pairs, 10, 1) == draw(pairs, 10, 1) != draw(pairs, 10, 2)
    assert len(draw(pairs, 50, 1)) == 40


def test_controls_are_a_quotes_own_sentence_and_the_same_beside_another_items_quote() -> None:
    pairs = cited_pairs(RECORDS, QUESTIONS)
    found = controls(pairs, pairs, 0)
    assert [one.kind for one in found] == ["control_true", "control_false"] * 2
    for true, false in zip(found[0::2], found[1::2], strict=True):
        assert true.sentence == false.sentence
        assert true.sentence in true.quote
        assert true.sentence not in false.quote
        assert true.item != false.item


def test_no_control_is_made_of_a_quote_that_says_nothing() -> None:
    assert controls([pair("Yes.", "So it is.")], [], 0) == []


def by_words(messages: Sequence[Message], choices: Sequence[str]) -> Mapping[str, float]:
    """Yes where the statement's words are in the passage, with a strong liking for A."""
    content = messages[-1].content
    passage = content.partition("</passage>")[0]
    statement = content.partition("<statement>\n")[2].partition("\n</statement>")[0]
    liked = {choices[0]: 1.0, choices[1]: -1.0}
    belief = 0.5 if statement in passage else -0.5
    return {choice: liked[choice] + (belief if choice == "yes" else -belief) for choice in choices}


def judge_of(**fields: Any) -> Judge:
    return Judge(ScriptedEngine(**fields))


async def test_a_liking_for_a_letter_cancels() -> None:
    judge = judge_of(scores=by_words)
    assert await judge.ask(pair("A banyan drops aerial roots")) == Verdict(True, 1.0)
    assert await judge.ask(pair("A banyan swims")) == Verdict(False, -1.0)


async def test_a_judge_without_log_probabilities_says_yes_or_no() -> None:
    def writes(messages: Sequence[Message], schema: Mapping[str, Any] | None) -> str:
        assert schema is not None
        return json.dumps({"supported": "yes" if "roots" in messages[-1].content else "no"})

    judge = judge_of(scores=None, rule=writes)
    assert await judge.ask(pair("It has roots.")) == Verdict(True)
    assert await judge.ask(pair("It swims.", SHIPS)) == Verdict(False)


async def test_what_is_no_verdict_is_an_error_and_not_a_no() -> None:
    def breaks(*_: object) -> str:
        raise EngineUnavailable("gone")

    done = await judge_of(scores=None, rule=breaks).ask(pair("So."))
    assert (done.supported, done.error) == (None, "engine_unavailable: gone")
    done = await judge_of(scores=None, rule=lambda *_: "maybe").ask(pair("So."))
    assert done.supported is None
    assert "maybe" in (done.error or "")


def judged(kind: str, supported: bool | None, times: int) -> list[Judgement]:
    one = judgement(pair("The roots thicken into gold."), Verdict(supported))
    return [one.model_copy(update={"kind": kind}) for _ in range(times)]


def added_up(judgements: Sequence[Judgement]) -> Support:
    return support(
        judgements,
        name="maze",
        model="a-model",
        has_scores=True,
        num_answers=9,
        num_citations=30,
    )


def with_odds(kind: str, odds: Sequence[float]) -> list[Judgement]:
    return [
        one.model_copy(update={"log_odds": value})
        for one, value in zip(judged(kind, True, len(odds)), odds, strict=True)
    ]


def test_a_border_is_put_where_it_tells_controls_apart_best() -> None:
    assert 0.4 < fit([0.5, 0.6, 0.9], [0.1, 0.4]) < 0.5
    assert 0.2 < fit([0.3, 0.5, 0.6], [0.1, 0.2, 0.55]) < 0.3


def test_a_judge_that_likes_yes_is_heard_above_its_border() -> None:
    judgements = [
        *with_odds("cited", [0.2, 0.8]),
        *with_odds("control_true", [0.6 + 0.01 * n for n in range(10)]),
        *with_odds("control_false", [0.1 + 0.01 * n for n in range(10)]),
    ]
    heard, border = fitted(judgements)
    assert border is not None
    assert 0.19 < border < 0.6
    assert [one.supported for one in heard[:2]] == [False, True]
    assert added_up(heard).can_judge
    assert not added_up(judgements).can_judge


def test_controls_that_cannot_be_told_apart_stay_so_whatever_the_border() -> None:
    noise = [((n * 7) % 11) / 11 for n in range(40)]
    judgements = [*with_odds("control_true", noise), *with_odds("control_false", noise[::-1])]
    heard, border = fitted(judgements)
    assert border is not None
    assert not added_up(heard).can_judge


def test_without_log_odds_or_with_few_controls_verdicts_stay() -> None:
    words = [*judged("control_true", True, 20), *judged("control_false", False, 20)]
    few = [*with_odds("control_true", [0.5] * 9), *with_odds("control_false", [0.1] * 9)]
    for judgements in (words, few):
        assert fitted(judgements) == (judgements, None)


def test_a_judge_that_says_yes_to_everything_is_seen_as_such() -> None:
    always = [
        *judged("cited", True, 10),
        *judged("control_true", True, 10),
        *judged("control_false", True, 10),
    ]
    result = added_up(always)
    assert (result.reliability, result.can_judge) == (0.5, False)


def test_a_judge_that_tells_controls_apart_is_believed() -> None:
    result = added_up(
        [
            *judged("cited", True, 6),
            *judged("cited", False, 2),
            *judged("cited", None, 2),
            *judged("control_true", True, 10),
            *judged("control_false", False, 10),
        ]
    )
    assert result.supported is not None
    assert (result.supported.mean, result.supported.n) == (0.75, 8)
    assert (result.failed, result.reliability, result.can_judge) == (2, 1.0, True)
    assert result.lexical is not None
    assert math.isclose(result.lexical.mean, 2 / 3)


def test_two_controls_are_too_few_to_believe_a_judge() -> None:
    few = [*judged("control_true", True, 2), *judged("control_false", False, 2)]
    assert added_up(few).reliability == 1.0
    assert not added_up(few).can_judge


def test_without_controls_nobody_is_believed() -> None:
    assert not added_up(judged("cited", True, 5)).can_judge


def test_the_command_judges_a_run_and_writes_every_judgement_down(
    tmp_path: Path, engine_url: str
) -> None:
    out = ("--out", str(tmp_path), "--engine", engine_url, "--engine-kind", "openai")
    assert banyan("eval", "examples", *out, "--gate", "never").returncode == 0

    done = banyan("eval-citations", "examples", *out, "--samples", "2", "--json")

    assert done.returncode == 0, done.stderr
    result = Support.model_validate_json(done.stdout)
    assert (result.set, result.has_scores, result.failed) == ("examples", False, 0)
    assert result.supported is not None
    lines = (tmp_path / "examples.citations.jsonl").read_text().splitlines()
    kinds = [Judgement.model_validate_json(line).kind for line in lines]
    assert kinds.count("cited") == result.supported.n > 0
    assert kinds.count("control_true") > 0
    shown = banyan("eval-citations", "examples", *out, "--samples", "1")
    assert (
        CANNOT.split(":", maxsplit=1)[0] in shown.stdout
    )  # the fake writes what the schema allows
    assert "examples.citations.jsonl" in shown.stdout
    assert banyan("eval-citations", "maze", *out).returncode == 3
