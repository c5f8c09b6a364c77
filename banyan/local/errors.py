"""Why the all-in-one did not run: what is missing, what did not start, what died.

LocalError
├── Missing       something has to be installed or given first; exit code 3
├── NotStarted    a port is taken, or a part did not come up; exit code 4
├── Died          a part ended while everything was running; exit code 1
└── Interrupted   Ctrl-C while parts were still starting; exit code 130
"""

from __future__ import annotations

from banyan.errors import BanyanError


class LocalError(BanyanError):
    code = "local_error"
    exit_code = 1


class Missing(LocalError):
    code = "missing"
    exit_code = 3


class NotStarted(LocalError):
    code = "not_started"
    exit_code = 4


class Died(LocalError):
    code = "part_died"
    exit_code = 1


class Interrupted(LocalError):
    code = "interrupted"
    exit_code = 130
