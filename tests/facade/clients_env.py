"""The environment of lm_eval, inspect_ai, LangChain and moto, made from its lock outside the clone.

`BANYAN_CLIENTS_VENV` names one that is already there.
"""

from __future__ import annotations

import sys

from banyan.local.cached_env import REQUIREMENTS, CachedEnv, CachedEnvironmentError, print_python


def clients_env() -> CachedEnv:
    """The environment; 0.2 GB to download, 0.8 GB on disk."""
    return CachedEnv(
        name="clients",
        label="the environment of OpenAI's clients and moto",
        variable="BANYAN_CLIENTS_VENV",
        lock_file=REQUIREMENTS / "clients.lock",
        size="0.2 GB",
        error=CachedEnvironmentError,
        cpu_torch=False,
    )


if __name__ == "__main__":
    sys.exit(print_python(clients_env))
