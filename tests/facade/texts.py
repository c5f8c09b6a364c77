"""A text that does not fit the fake engine's window."""

from __future__ import annotations

_LINE = "Section {0}. A banyan drops roots, and the roots become trunks, as number {0} shows."
_LAST = "The last section has no number, and is longer than a question would be. " * 10

LONG = "\n\n".join([*(_LINE.format(index) for index in range(200)), _LAST.strip()])
