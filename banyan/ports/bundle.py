"""The ports that one node is driven with, together."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from banyan.ports.engine import Engine
from banyan.ports.library import Library
from banyan.ports.packer import Packer
from banyan.ports.store import Store


@dataclass(frozen=True, slots=True)
class Ports:
    """What a node needs of the world. `engine_patience_s`: how long a down engine is waited for."""

    store: Store
    library: Library
    engine: Engine
    engine_patience_s: float = 180.0
    packer: Packer | None = None
    draw: Callable[[], float] = field(default=random.random)
