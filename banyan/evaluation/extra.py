"""Extra: the packages that an evaluation needs and a service does not."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec

from banyan.local.errors import Missing

PACKAGES = ("Stemmer", "bm25s", "matplotlib", "numpy", "reasoning_gym", "rouge_score")


def check_packages(packages: Sequence[str] = PACKAGES) -> None:
    """Raises Missing where one is not installed."""
    missing = [name for name in packages if find_spec(name) is None]
    if missing:
        raise Missing(
            f"an evaluation needs packages that are not here: {', '.join(missing)}",
            hint='Install "banyan-serve[eval,local]".',
        )
