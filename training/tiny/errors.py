"""What a tiny policy's files may be wrong with."""

from __future__ import annotations

from training.errors import TrainingError


class BadCheckpoint(TrainingError):
    code = "bad_checkpoint"
    hint = "Remove the run's folder, or give another --out; the run starts anew."
