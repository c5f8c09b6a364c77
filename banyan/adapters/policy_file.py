"""Policy file: the policies that an operator lists, each with its engine, its traits and prices.

`BANYAN_POLICIES` names a file in TOML or JSON; service and workers read the same one, once, at
start. Without it there is one policy, `base`, on the engine of the settings, free of charge.
"""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from banyan.adapters.engine_spec import EngineSpec, urls_of
from banyan.errors import InvalidInput
from banyan.policy import BASE, LIVE, Policies, Policy
from banyan.prices import MOST_PER_TOKEN, Prices
from banyan.settings import EngineKind, Settings
from banyan.traits import Traits

Usual = Mapping[str, bool | float]
"""Traits that the settings give."""

MAX_POLICIES = 32

_NANO_A_TOKEN = 1_000
"""1 USD a million tokens, in nano-dollars a token."""

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
_Usd = Annotated[Decimal, Field(ge=0, le=MOST_PER_TOKEN // _NANO_A_TOKEN, decimal_places=3)]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Engine(_Model):
    kind: EngineKind
    urls: tuple[str, ...] = Field(min_length=1)
    model: str = ""
    window: int | None = Field(None, ge=512)
    api_key_env: str | None = None


class _Prices(_Model):
    """USD a million tokens, in steps of 0.001. `cached` is the prompt's where it is left out."""

    prompt: _Usd
    cached: _Usd | None = None
    completion: _Usd


class _Entry(_Model):
    about: str = Field("", max_length=120)
    engine: _Engine | None = None
    adapter: str | None = None
    traits: Traits = Traits()
    prices: _Prices | None = None

    @model_validator(mode="after")
    def _adapters_are_vllms(self) -> Self:
        if self.adapter is not None and self.engine is not None and self.engine.kind != "vllm":
            raise ValueError("only engines of the kind vllm serve adapters")
        return self


class _File(_Model):
    live: str
    policies: dict[Name, _Entry] = Field(min_length=1, max_length=MAX_POLICIES)

    @model_validator(mode="after")
    def _live_is_one_of_them(self) -> Self:
        if LIVE in self.policies:
            raise ValueError(f"policies: {LIVE} is no name, it stands for one of them")
        if self.live not in self.policies:
            raise ValueError(f"live: {self.live} is none of {', '.join(self.policies)}")
        return self


@dataclass(frozen=True, slots=True)
class Listed:
    """What is served, and the engine of each policy by its name."""

    policies: Policies
    engines: Mapping[str, EngineSpec]


def listed(
    settings: Settings,
    traits: Usual | None = None,
    environ: Mapping[str, str] = os.environ,
) -> Listed:
    """What the settings say is served. Raises InvalidInput with what to do.

    `traits` are those that the settings give to the policies on their engine. Keys of model
    servers are in `environ`.
    """
    traits = traits or {}
    if settings.policies is None:
        base = _with(BASE.version, dict(traits))
        return Listed(Policies([base], live=base.version), {base.version: EngineSpec.of(settings)})
    file = _read(settings.policies)
    policies: list[Policy] = []
    engines: dict[str, EngineSpec] = {}
    for name, entry in file.policies.items():
        usual = {} if entry.engine else traits
        policies.append(_policy(name, entry, usual))
        engines[name] = _engine(name, entry.engine, settings, environ)
    return Listed(Policies(policies, live=file.live), engines)


def _read(path: Path) -> _File:
    hint = "Correct the file, or unset BANYAN_POLICIES. See examples/policies.toml for its form."
    try:
        text = path.read_text(encoding="utf-8")
        value: Any = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except OSError as error:
        raise InvalidInput(
            f"BANYAN_POLICIES: {path} cannot be read: {error.strerror}",
            hint="Name a file that is there, or unset BANYAN_POLICIES.",
        ) from error
    except ValueError as error:
        kind = "JSON" if path.suffix == ".json" else "TOML"
        raise InvalidInput(f"BANYAN_POLICIES: {path} is no {kind}: {error}", hint=hint) from error
    try:
        return _File.model_validate(value)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        said = first["msg"].removeprefix("Value error, ")
        raise InvalidInput(
            f"BANYAN_POLICIES: {path}: {where}{': ' if where else ''}{said}", hint=hint
        ) from error


def _policy(name: str, entry: _Entry, usual: Usual) -> Policy:
    given: dict[str, Any] = {**usual, **entry.traits.model_dump(exclude_none=True)}
    prices = Prices()
    if entry.prices is not None:
        cached = entry.prices.prompt if entry.prices.cached is None else entry.prices.cached
        prices = Prices(
            prompt=int(entry.prices.prompt * _NANO_A_TOKEN),
            cached=int(cached * _NANO_A_TOKEN),
            completion=int(entry.prices.completion * _NANO_A_TOKEN),
        )
    given |= {"about": entry.about, "adapter": entry.adapter, "prices": prices}
    return _with(name, given)


def _with(name: str, given: dict[str, Any]) -> Policy:
    """`base` with another name and what is `given`."""
    try:
        return Policy.model_validate({**BASE.model_dump(), **given, "version": name})
    except ValidationError as error:
        said = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise InvalidInput(
            f"policy {name}: {said}",
            hint="Correct its traits: those in the file, or the settings that are named alike.",
        ) from error


def _engine(
    name: str, entry: _Engine | None, settings: Settings, environ: Mapping[str, str]
) -> EngineSpec:
    if entry is None:
        return EngineSpec.of(settings)
    where = f"BANYAN_POLICIES: policies.{name}.engine"
    return EngineSpec(
        kind=entry.kind,
        urls=urls_of(entry.urls, where=f"{where}.urls"),
        model=entry.model,
        window=entry.window,
        api_key=_key(entry.api_key_env, where, environ),
        timeout_s=settings.engine_timeout_s,
    )


def _key(variable: str | None, where: str, environ: Mapping[str, str]) -> str:
    if variable is None:
        return ""
    key = environ.get(variable, "")
    if not key:
        raise InvalidInput(
            f"{where}.api_key_env: the variable {variable} is not set",
            hint="Set it to the model server's key, or leave api_key_env out.",
        )
    return key
