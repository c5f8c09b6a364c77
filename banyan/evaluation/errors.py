"""Why an evaluation did not start, beside what `banyan/local/errors.py` has: an unknown name."""

from __future__ import annotations

from banyan.local.errors import LocalError


class Unknown(LocalError):
    """A set, bucket or baseline of that name does not exist; exit code 2."""

    code = "unknown_name"
    exit_code = 2
