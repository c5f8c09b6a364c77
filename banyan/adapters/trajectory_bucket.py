"""The trajectory log in an S3-compatible bucket, laid out as the folder is but for feedback.

    trees/20261124/solve_<id>.g1.jsonl.zst     as in the folder
    feedback/20261124/<digest>.jsonl           one object each, since objects are not appended to

What was said before on the same day, with the same key, is left as it is; readers leave out all
other repetitions.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import obstore
from obstore.store import S3Store

from banyan.adapters.blobs import Staged
from banyan.adapters.bucket_blobs import BucketBlobs
from banyan.adapters.object_store import put_translated, translated
from banyan.adapters.trajectory_folder import FEEDBACK, TREES, day_before, day_of
from banyan.feedback import Feedback

Open = Callable[[str], S3Store]
"""Opens the bucket below a part of the log."""

_KEY_BYTES = 16


class TrajectoryBucket:
    """Satisfies `TrajectoryLog`."""

    def __init__(self, open_part: Open) -> None:
        self._parts = {part: open_part(part) for part in (TREES, FEEDBACK)}
        self._blobs = BucketBlobs(self._parts[TREES])

    def stage(self) -> Staged:
        """See `TrajectoryLog.stage`."""
        return self._blobs.stage()

    def append(self, feedback: Feedback) -> None:
        """See `TrajectoryLog.append`. Raises StoreUnavailable."""
        name = hashlib.blake2b(feedback.key.encode(), digest_size=_KEY_BYTES).hexdigest()
        store, key = self._parts[FEEDBACK], f"{day_of(feedback.at)}/{name}.jsonl"
        with put_translated(key):
            try:
                obstore.head(store, key)
            except FileNotFoundError:
                obstore.put(store, key, msgspec.json.encode(feedback) + b"\n")

    def remove_old(self, days: float, *, now: float | None = None) -> int:
        """See `TrajectoryLog.remove_old`. Raises StoreUnavailable."""
        last = day_before(time.time() if now is None else now, days)
        removed = set()
        for part, store in self._parts.items():
            with translated(part):
                old = [key for key in _keys(store) if key[: len(last)] < last]
                if old:
                    obstore.delete(store, old)
            removed |= {(part, key[: len(last)]) for key in old}
        return len(removed)

    def pull(self, folder: Path) -> int:
        """Copy what `folder` does not have yet; how many files.

        Raises StoreUnavailable and OSError.
        """
        num_files = 0
        for part, store in self._parts.items():
            for key in _keys(store):
                target = folder / part / key
                if target.exists():
                    continue
                with translated(key):
                    data = bytes(obstore.get(store, key).bytes())
                target.parent.mkdir(parents=True, exist_ok=True)
                beside = target.with_name(f".{target.name}.part")
                beside.write_bytes(data)
                beside.replace(target)
                num_files += 1
        return num_files


def _keys(store: S3Store) -> Iterator[str]:
    with translated("the log"):
        for page in obstore.list(store):
            yield from (meta["path"] for meta in page)
