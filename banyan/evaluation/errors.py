"""Why an evaluation did not start: a name that is not known, or something that is not there.

BanyanError
└── EvaluationError
    ├── Unknown     a set, bucket or baseline of that name does not exist; exit code 2
    └── NotHere     data or packages are missing; exit code 3
"""

from __future__ import annotations

from banyan.errors import BanyanError


class EvaluationError(BanyanError):
    code = "evaluation_error"
    exit_code = 1


class Unknown(EvaluationError):
    code = "unknown_name"
    exit_code = 2


class NotHere(EvaluationError):
    code = "missing"
    exit_code = 3
