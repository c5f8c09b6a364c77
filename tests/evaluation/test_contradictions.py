"""Two sources, two years: both are to be told, and no third one made of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from banyan.evaluation.sets import load_set
from banyan.evaluation.sets.contradictions import CLAIMS, chronicle, grade
from banyan.limits import Limits
from banyan.policy import BASE, Policies
from banyan.testing import ScriptedEngine
from tests.evaluation.makers import answered
from tests.growing import Grower, outcome

CLAIM = CLAIMS[0]
EARLY, LATE = (str(year) for year in CLAIM.years)


@pytest.mark.parametrize(
    ("answer", "score", "one", "between"),
    [
        (f"The register says {EARLY}, the book {LATE}.", 1.0, 0.0, 0.0),
        (f"It was opened in {LATE}.", 0.0, 1.0, 0.0),
        ("It was opened around 1860.", 0.0, 0.0, 1.0),
        (f"Nobody knows; see page {EARLY}7.", 0.0, 0.0, 0.0),
        (None, 0.0, 0.0, 0.0),
    ],
)
def test_both_years_count_and_an_average_is_told_apart(
    answer: str | None, score: float, one: float, between: float
) -> None:
    found = grade(answered(answer), CLAIM.years)
    assert found.value == score
    assert found.parts == {"one": one, "between": between}


def test_every_text_has_both_claims_in_different_parts_and_is_the_same_every_time() -> None:
    for item in load_set("contradictions", Path("nowhere")):
        (text,) = item.question.documents
        first, last = (text.index(str(year)) for year in CLAIMS[int(item.question.id[-1])].years)
        assert first < len(text) / 3
        assert last > 2 * len(text) / 3
    assert chronicle(CLAIM, seed=1) == chronicle(CLAIM, seed=1) != chronicle(CLAIM, seed=2)


async def test_results_that_are_joined_keep_both_claims_with_their_places() -> None:
    def claim(prompt: str) -> str:
        lines = [line for line in prompt.splitlines() if "was opened in" in line]
        return lines[0] if lines else "There is nothing on it."

    one = BASE.model_copy(
        update={
            "version": "one",
            "briefs": False,
            "cites": False,
            "json_answers": False,
            "merges": False,
        }
    )
    engine = ScriptedEngine(rule=lambda messages, _: claim(messages[-1].content))
    grower = Grower(engine, policies=Policies([one], live="one"))
    text = chronicle(CLAIM, seed=0)
    limits = Limits(max_answer_tokens=400)
    tree = await grower.grow("Write what the sources say.", text, limits=limits)
    assert tree.usage.nodes > 2
    done = outcome(tree)
    assert grade(answered(str(done.answer)), CLAIM.years).value == 1.0
    quotes = [text[span.start : span.end] for span in done.citations]
    assert all(any(year in quote for quote in quotes) for year in (EARLY, LATE))
