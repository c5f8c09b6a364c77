"""The environment of the peers that `bench.peers` measures, made from its lock outside the clone.

`BANYAN_PEERS_VENV` names one that is already there.
"""

from __future__ import annotations

import sys

from banyan.local.cached_env import REQUIREMENTS, CachedEnv, CachedEnvironmentError, print_python


def peers_env() -> CachedEnv:
    """The environment; 0.15 GB to download, 0.5 GB on disk."""
    return CachedEnv(
        name="peers",
        label="the environment of the peers",
        variable="BANYAN_PEERS_VENV",
        lock_file=REQUIREMENTS / "peers.lock",
        size="0.15 GB",
        error=CachedEnvironmentError,
        cpu_torch=False,
    )


if __name__ == "__main__":
    sys.exit(print_python(peers_env))
