"""Results of a benchmark as JSON, for whoever asks for them with `--out`."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any


def write_results(out: Path | None, results: Iterable[Any]) -> None:
    """A list of `results`, which are dataclasses; nothing where `out` is None."""
    if out is not None:
        text = json.dumps([asdict(result) for result in results], indent=2)
        out.write_text(text, encoding="utf-8")
