"""Live settings: what programs take over from a file while they run. Pure.

All others are read once at the start: they are what connections, leases and keys were made with,
and a file that names one of them is refused as a whole, with what to do instead.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from banyan.errors import InvalidInput

_HINT = 'Write for example: log_level = "debug"; docs/operating.md has the list.'


class LiveSettings(BaseModel):
    """What the file may say. What it leaves out is as at the start."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    log_level: Literal["debug", "info", "warning", "error"] | None = None
    slots: int | None = Field(None, ge=1, le=10_000)
    quota_trees: int | None = Field(None, ge=1)
    quota_nodes: int | None = Field(None, ge=1)
    quota_tokens_per_minute: int | None = Field(None, ge=1)
    quota_tokens_per_day: int | None = Field(None, ge=1)
    quota_usd_per_day: float | None = Field(None, gt=0, allow_inf_nan=False)

    @property
    def quotas(self) -> dict[str, float]:
        """Those of everyone that the file sets, by the names of `banyan.quotas.Quota`."""
        said = self.model_dump(exclude_none=True)
        return {
            name.removeprefix("quota_"): value
            for name, value in said.items()
            if name.startswith("quota_")
        }


def parse(text: str, *, fixed: Collection[str]) -> LiveSettings:
    """The file's settings. `fixed`: names of settings that need a restart. Raises InvalidInput."""
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidInput(f"live settings: {error}", hint=_HINT) from error
    for name in found.keys() - LiveSettings.model_fields.keys():
        if name in fixed:
            raise InvalidInput(
                f"live settings: {name} cannot change while a program runs",
                hint=f"Set BANYAN_{name.upper()} and restart the service and the workers.",
            )
        raise InvalidInput(f"live settings: there is no setting {name}", hint=_HINT)
    try:
        return LiveSettings.model_validate(found)
    except ValidationError as error:
        detail = error.errors()[0]
        where = ".".join(str(part) for part in detail["loc"])
        raise InvalidInput(f"live settings: {where}: {detail['msg']}", hint=_HINT) from error
