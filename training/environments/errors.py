"""What an environment refuses.

TrainingError
├── BadDifficulty      outside what the environment can make
├── WindowTooSmall     not even the shortest view fits
└── UnknownEnvironment no environment has this name
"""

from __future__ import annotations

from training.errors import TrainingError


class BadDifficulty(TrainingError):
    code = "bad_difficulty"


class WindowTooSmall(TrainingError):
    code = "window_too_small"
    hint = "Use a window of at least the environment's `num_view_tokens`."


class UnknownEnvironment(TrainingError):
    code = "unknown_environment"


def check_difficulty(name: str, difficulty: int, lowest: int, highest: int) -> None:
    """Raises BadDifficulty."""
    if not lowest <= difficulty <= highest:
        raise BadDifficulty(
            f"{name} has no tasks of difficulty {difficulty}",
            hint=f"Choose one from {lowest} to {highest}.",
        )
