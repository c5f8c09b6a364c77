"""Sources that contradict each other, far apart in one text; made here, for any `--data`.

Each text is a chronicle of a small town in which two sources give two years for the same event. The
score is whether an answer has both years. `one`: it has one of them, as if nobody had said the
other; `between`: it has a year between them that nobody said, as an average would.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from banyan.evaluation.item import Item, text_of
from banyan.evaluation.question import Answered, Question, Score

NUM_PARAGRAPHS = 48
"""About 2,600 tokens: more than a window of 2,048."""
ANSWER_TOKENS = {"question": 64, "summary": 200}
_QUESTION = "In which year was the {what} opened, by each of the sources?"
_SUMMARY = "Write what the two sources say of the {what}, and of the life in the town."
_PLACES = (1 / 8, 7 / 8)
"""Where the two claims stand, as shares of the text."""
_YEAR = re.compile(r"(?<!\d)1[89]\d\d(?!\d)")
_WHO = ("The baker", "A ferryman", "The teacher", "Old Hanne", "The miller", "A pedlar")
_DID = ("mended", "sold", "painted", "carried", "praised", "counted")
_WHAT = ("the nets", "two barrels", "a blue door", "the apples", "some rope", "the lamps")
_WHEN = ("before the fair", "in the rain", "after church", "at low water", "on a Monday")
_WHY = (
    "since nobody else would do it",
    "and spoke of it for weeks",
    "although the wind had turned",
    "while the children looked on",
)


@dataclass(frozen=True, slots=True)
class Claim:
    """`what` was opened in `years`, by the one source and by the other."""

    what: str
    years: tuple[int, int]


CLAIMS = (
    Claim("stone bridge", (1851, 1868)),
    Claim("reading room", (1874, 1889)),
    Claim("cable railway", (1902, 1911)),
    Claim("fish market", (1822, 1837)),
    Claim("lighthouse", (1863, 1881)),
    Claim("grammar school", (1907, 1926)),
)


def load(data: Path) -> list[Item]:
    """Always the same, wherever `data` is: each claim as a question and as a summary."""
    del data
    return [
        Item(_question(bucket, number, claim), partial(grade, years=claim.years), claim.what)
        for bucket in ANSWER_TOKENS
        for number, claim in enumerate(CLAIMS)
    ]


def _question(bucket: str, number: int, claim: Claim) -> Question:
    goal = _QUESTION if bucket == "question" else _SUMMARY
    return Question(
        id=f"{bucket}-{number}",
        bucket=bucket,
        goal=goal.format(what=claim.what),
        documents=(chronicle(claim, seed=number),),
        answer_tokens=ANSWER_TOKENS[bucket],
    )


def chronicle(claim: Claim, seed: int) -> str:
    """The text: paragraphs on daily life, and the two sources in two of them."""
    draw = random.Random(seed)  # noqa: S311 - the same text every time
    paragraphs = [_paragraph(draw) for _ in range(NUM_PARAGRAPHS)]
    said = (
        f"The parish register says that the {claim.what} was opened in {claim.years[0]}.",
        f"The harbour book says that the {claim.what} was opened in {claim.years[1]}.",
    )
    for place, sentence in zip(_PLACES, said, strict=True):
        paragraphs[int(place * NUM_PARAGRAPHS)] += f" {sentence}"
    return "\n\n".join(paragraphs)


def _paragraph(draw: random.Random) -> str:
    return " ".join(
        f"{draw.choice(_WHO)} {draw.choice(_DID)} {draw.choice(_WHAT)} {draw.choice(_WHEN)}, "
        f"{draw.choice(_WHY)}."
        for _ in range(3)
    )


def grade(answered: Answered, years: tuple[int, int]) -> Score:
    """1 where both years stand in the answer."""
    found = {int(year) for year in _YEAR.findall(text_of(answered))}
    num_said = len(found.intersection(years))
    between = any(min(years) < year < max(years) for year in found)
    parts = {"one": float(num_said == 1), "between": float(between)}
    return Score(float(num_said == len(years)), parts)
