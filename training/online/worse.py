"""Worse: the log of a batch with every verdict turned round, to train a version to do badly.

The gate is shown a version that is worse, made by the same update as the better ones.
"""

from __future__ import annotations

import shutil
from collections.abc import Collection
from pathlib import Path

from banyan.adapters.trajectory_folder import SUFFIX, TREES, TrajectoryFolder
from banyan.feedback import derived_key
from training.feedback import read_feedback


def turned_round(log: Path, tree_ids: Collection[str], out: Path) -> None:
    """Write a log of these trees to `out`, in which 1 minus each success is what was said.

    Raises TrainingErrors for feedback that cannot be read.
    """
    for file in log.glob(f"{TREES}/*/*{SUFFIX}"):
        if file.name.partition(".")[0] in tree_ids:
            target = out / file.relative_to(log)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, target)
    folder = TrajectoryFolder(out)
    for said in read_feedback(log, _refuse).latest.values():
        if said.tree_id in tree_ids:
            value, comment = 1.0 - said.value, "turned round"
            key = derived_key(said.tree_id, said.node_id, value, said.source, comment)
            folder.append(
                type(said)(
                    tree_id=said.tree_id,
                    node_id=said.node_id,
                    value=value,
                    source=said.source,
                    comment=comment,
                    key=key,
                    at=said.at,
                )
            )


def _refuse(error: Exception) -> None:
    raise error
