"""Dataset: a whole trajectory log, or one file of it, in one pass: what is there and may train.

Trees are streamed and not kept; what is kept of each is a line of a table, from which generations
and groups are judged at the end.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from banyan.adapters.trajectory_folder import FEEDBACK, SUFFIX, TREES
from banyan.trajectory import LoggedNode
from training.eligibility import Rules, reason_against
from training.errors import NoNodes, TrainingError, UnreadableFile
from training.feedback import Verdicts, read_feedback
from training.records import LoggedTree, read_trees
from training.tally import Tally


@dataclass(slots=True)
class Row:
    """One tree of the table. `reason` is None where it may train."""

    tree_id: str
    generation: int
    group_id: str | None
    num_nodes: int
    reason: str | None


@dataclass(slots=True)
class Survey:
    """What a log holds. `damage`: files and lines that were left out, in their order."""

    tally: Tally = field(default_factory=Tally)
    rows: list[Row] = field(default_factory=list)
    damage: list[TrainingError] = field(default_factory=list)
    verdicts: Verdicts = field(default_factory=Verdicts)
    num_files: int = 0

    @property
    def eligible(self) -> set[tuple[str, int]]:
        """Trees, by id and generation, that may train."""
        return {(row.tree_id, row.generation) for row in self.rows if row.reason is None}

    @property
    def reasons(self) -> Counter[str]:
        """How many trees may not train, by the reason they are counted under."""
        return Counter(row.reason for row in self.rows if row.reason is not None)


def survey(path: Path, rules: Rules) -> Survey:
    """Look at all trees of a log's folder, or of one file. Raises UnreadableFile, NoNodes."""
    found = Survey()
    root = path if path.is_dir() else path.parent
    if (root / FEEDBACK).is_dir():
        found.verdicts = read_feedback(root, found.damage.append)
    for file in files_of(path):
        found.num_files += 1
        try:
            for tree in read_trees(file):
                _add(found, tree, rules)
        except TrainingError as error:
            found.damage.append(error)
    _judge_together(found.rows, rules)
    return found


def files_of(path: Path) -> list[Path]:
    """The files of a log's trees, the oldest first. Raises UnreadableFile, NoNodes."""
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise UnreadableFile(f"{path}: there is no such folder or file")
    files = sorted(path.glob(f"{TREES}/*/*{SUFFIX}"))
    if not files:
        raise NoNodes(
            f"{path}: there are no trees in it",
            hint="Give the folder that BANYAN_TRAJECTORY_DIR names, once a solve has finished.",
        )
    return files


def eligible_nodes(path: Path, found: Survey) -> Iterator[LoggedNode]:
    """The records of the trees that may train, with their success. Reads the files again."""
    wanted = found.eligible
    for file in files_of(path):
        try:
            for tree in read_trees(file):
                if (tree.root.tree_id, tree.root.tree.generation) in wanted:
                    yield from map(found.verdicts.join, tree.nodes)
        except TrainingError:
            continue  # the survey has told of it


def _add(found: Survey, tree: LoggedTree, rules: Rules) -> None:
    nodes = [found.verdicts.join(node) for node in tree.nodes]
    root = tree.root
    found.tally.add(nodes)
    found.rows.append(
        Row(
            tree_id=root.tree_id,
            generation=root.tree.generation,
            group_id=root.group_id,
            num_nodes=len(nodes),
            reason=reason_against(nodes, rules),
        )
    )


def _judge_together(rows: list[Row], rules: Rules) -> None:
    """What one tree cannot tell: a later generation of it, and trees to compare it with."""
    newest: dict[str, int] = {}
    for row in rows:
        newest[row.tree_id] = max(row.generation, newest.get(row.tree_id, 0))
    for row in rows:
        if row.generation < newest[row.tree_id]:
            row.reason = "superseded"
    sizes = Counter(row.group_id for row in rows if row.reason is None)
    for row in rows:
        if row.reason is None and sizes[row.group_id] < 2 and not rules.value_baseline:
            row.reason = "single_group"
