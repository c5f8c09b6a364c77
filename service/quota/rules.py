"""Rules: which quota a tenant has, from the settings and the operator's file."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping

from pydantic import ValidationError

from banyan.access import TENANT_PATTERN
from banyan.errors import InvalidInput
from banyan.quotas import Quota
from service.settings import ServiceSettings

_HINT = "Write for example: [acme], and below it: trees = 20"


class Rules:
    """The quota of everyone, and those of some."""

    def __init__(self, everyone: Quota, own: Mapping[str, Quota]) -> None:
        self._everyone = everyone
        self._own = dict(own)

    def of(self, tenant: str) -> Quota:
        return self._own.get(tenant, self._everyone)


def make_rules(settings: ServiceSettings, live: Mapping[str, float] | None = None) -> Rules:
    """What a tenant's own lines leave out is as for everyone. Raises InvalidInput.

    `live`: quotas of everyone that take the place of those of the settings.
    """
    everyone = Quota.model_validate(
        {
            "trees": settings.quota_trees,
            "nodes": settings.quota_nodes,
            "tokens_per_minute": settings.quota_tokens_per_minute,
            "tokens_per_day": settings.quota_tokens_per_day,
            "usd_per_day": settings.quota_usd_per_day,
            **(live or {}),
        }
    )
    if settings.quotas is None:
        return Rules(everyone, {})
    try:
        found = tomllib.loads(settings.quotas.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InvalidInput(f"BANYAN_QUOTAS: {error}", hint=_HINT) from error
    own = {}
    for tenant, lines in found.items():
        if not re.fullmatch(TENANT_PATTERN, tenant) or not isinstance(lines, dict):
            raise InvalidInput(f"BANYAN_QUOTAS: {tenant} is no tenant's table", hint=_HINT)
        try:
            own[tenant] = Quota.model_validate({**everyone.model_dump(), **lines})
        except ValidationError as error:
            detail = error.errors()[0]
            where = ".".join(str(part) for part in detail["loc"])
            raise InvalidInput(
                f"BANYAN_QUOTAS: {tenant}.{where}: {detail['msg']}", hint=_HINT
            ) from error
    return Rules(everyone, own)
