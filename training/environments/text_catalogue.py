"""Text catalogue: the environments that the service can be asked, by name."""

from __future__ import annotations

from training.environments.errors import UnknownEnvironment
from training.environments.lookup import Lookup
from training.environments.text import TextEnvironment

TEXT_ENVIRONMENTS: dict[str, TextEnvironment] = {each.name: each for each in (Lookup(),)}


def text_environment(name: str) -> TextEnvironment:
    """Raises UnknownEnvironment."""
    try:
        return TEXT_ENVIRONMENTS[name]
    except KeyError:
        raise UnknownEnvironment(
            f"no environment in text is called {name!r}",
            hint=f"There are {', '.join(sorted(TEXT_ENVIRONMENTS))}.",
        ) from None
