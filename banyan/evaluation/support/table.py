"""Table: citation support for people."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.text import Text

from banyan.evaluation.measure import SHARE
from banyan.evaluation.stats import Estimate
from banyan.evaluation.support.result import Support
from banyan.evaluation.table import estimate_cells, plain_table

CANNOT = (
    "This judge cannot judge: on pairs whose answer is known it is not clearly better than "
    "guessing. The first line says nothing."
)


def render(one: Support) -> RenderableType:
    """The shares, and whether the judge is to be believed."""
    table = plain_table(f"{one.set}: citations", ("",), ("n", "%", "95 %"))
    rows: dict[str, Estimate | None] = {
        "judged to support their sentence": one.supported,
        "control: its own sentence, judged yes": one.control_true,
        "control: another item's quote, judged no": one.control_false,
        "the sentence's words in the quote": one.lexical,
        "control: words in another item's quote": one.lexical_control,
    }
    for title, value in rows.items():
        table.add_row(title, *estimate_cells(value, SHARE))
    how = "log-probabilities of yes and no" if one.has_scores else "yes or no in words"
    lines = [
        f"judge: {one.model}, by {how}",
        f"drawn from {one.num_citations} citations of {one.num_answers} answers",
    ]
    if one.border is not None:
        lines.append(
            f"yes begins at log odds of {one.border:.2f}, fitted on the controls; each of these by "
            "the border of the other half"
        )
    if one.failed:
        lines.append(f"{one.failed} pairs have no verdict: the model server failed")
    if not one.can_judge:
        lines.append(CANNOT)
    return Group(table, *(Text(line) for line in lines))
