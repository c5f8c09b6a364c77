"""Trajectory log: where finished trees and feedback are kept, a folder or a bucket."""

from __future__ import annotations

from typing import Protocol

from banyan.adapters.blobs import Staged
from banyan.adapters.trajectory_folder import TrajectoryFolder
from banyan.feedback import Feedback
from banyan.settings import Settings


class TrajectoryLog(Protocol):
    """Blocks; safe between processes. All raise StoreErrors where it does not take or give."""

    def stage(self) -> Staged:
        """A tree's file on its way in, to be kept under `TrajectoryFolder.key`."""
        ...

    def append(self, feedback: Feedback) -> None:
        """Add feedback, durably."""
        ...

    def remove_old(self, days: float) -> int:
        """Remove what is of days longer ago than `days`; of how many days there was something."""
        ...


def open_log(settings: Settings) -> TrajectoryLog | None:
    """The bucket where one is named, else the folder; None where nothing is logged."""
    if settings.trajectory_url:
        # obstore is imported where there is a bucket.
        from banyan.adapters.object_store import open_bucket  # noqa: PLC0415
        from banyan.adapters.trajectory_bucket import TrajectoryBucket  # noqa: PLC0415

        return TrajectoryBucket(
            lambda part: open_bucket(f"{settings.trajectory_url}/{part}", settings)
        )
    return None if settings.trajectory_dir is None else TrajectoryFolder(settings.trajectory_dir)
