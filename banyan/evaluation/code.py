"""Code: which state of Banyan's source an answer was made with."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

import banyan


@cache
def code_mark() -> str:
    """Twelve hexadecimal digits that change with any line of the package."""
    root = Path(banyan.__file__).parent
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        digest.update(path.relative_to(root).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
