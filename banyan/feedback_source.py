"""Who says how well a node did. Apart from feedback itself, since clients need no more of it."""

from __future__ import annotations

from typing import Literal

Source = Literal["verifier", "judge", "user"]
"""In the order of their weight: where several speak of one node, the first one counts."""
