"""Settings of the service: where it listens, and how much it takes in."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from banyan.settings import Settings

MIB = 1024 * 1024

_ALGORITHMS = frozenset(
    f"{family}{bits}" for family in ("RS", "ES", "PS") for bits in (256, 384, 512)
) | {"EdDSA"}


def is_loopback(host: str) -> bool:
    """Whether `host` can only be reached from this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class ServiceSettings(Settings):
    """Environment variables with the prefix `BANYAN_`, for example `BANYAN_PORT`."""

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8080, ge=0, le=65_535, description="0 takes a free port.")
    auth: Literal["auto", "on", "off"] = Field(
        "auto", description="Authenticate requests; `auto`: unless the address is loopback."
    )
    allow_no_auth: bool = Field(
        False, description="Listen beyond loopback although requests are not authenticated."
    )
    oidc_issuer: str = Field("", description="Whose tokens are taken beside keys; see security.md.")
    oidc_audience: str = Field("", description="What `aud` of a token must name.")
    oidc_jwks_url: str = Field(
        "", description="The issuer's signing keys; default: as its discovery document says."
    )
    oidc_algorithms: str = Field(
        "RS256,ES256", description="Of a token's signature, separated by commas; never symmetric."
    )
    oidc_tenant_claim: str = Field("tenant", description="The claim that names the tenant.")
    quotas: Path | None = Field(
        None, description="File (TOML) of tenants' own quotas; default: those below for everyone."
    )
    quota_trees: int | None = Field(
        None, ge=1, description="Of one tenant: solves that are not finished."
    )
    quota_nodes: int | None = Field(
        None, ge=1, description="Of one tenant: `max_nodes` of its unfinished solves together."
    )
    quota_tokens_per_minute: int | None = Field(
        None, ge=1, description="Of one tenant: tokens a minute; over it, no new solve starts."
    )
    quota_tokens_per_day: int | None = Field(
        None, ge=1, description="Of one tenant: tokens a day (UTC); then no new solve starts."
    )
    quota_usd_per_day: float | None = Field(
        None,
        gt=0,
        allow_inf_nan=False,
        description="Of one tenant: money a day (UTC), by the prices of policies.",
    )
    base_model: str = Field(
        "", description="The model that is served; default: what the first version says."
    )
    base_fingerprint: str = Field(
        "", pattern=r"^([0-9a-f]{64})?$", description="Of its weights; see docs/policies.md."
    )
    policy_max_gap: float = Field(
        0.1, ge=0, description="Between trainer and engine, nats a token; more is rejected."
    )
    max_body_bytes: int = Field(32 * MIB, ge=1, description="Of a request's JSON body.")
    max_document_bytes: int = Field(1024 * MIB, ge=1, description="Of one uploaded document.")
    extract_timeout_s: float = Field(
        120.0, gt=0, description="Of reading one HTML or PDF document; its processor time as well."
    )
    extract_memory_bytes: int = Field(
        1024 * MIB, ge=128 * MIB, description="Of the process that reads one."
    )
    extract_max_pages: int = Field(10_000, ge=1, description="Of one PDF.")
    extract_parallel: int = Field(2, ge=1, description="Such processes at one time; others wait.")
    default_wait_s: float = Field(60.0, ge=0, description="`POST /solve` without `Prefer`.")
    max_wait_s: float = Field(600.0, ge=0, description="The longest wait that is granted.")
    heartbeat_s: float = Field(15.0, gt=0, description="Between comments on idle event streams.")
    shutdown_s: int = Field(10, ge=1, description="Grace for requests in flight at shutdown.")
    keep_alive_s: int = Field(
        75,
        ge=1,
        description="How long an idle connection stays open; longer than a proxy reuses it.",
    )

    @property
    def authenticates(self) -> bool:
        """Whether requests need a key or a token."""
        if self.auth == "auto":
            return not self.allow_no_auth and not is_loopback(self.host)
        return self.auth == "on"

    @model_validator(mode="after")
    def _authenticated_or_loopback(self) -> Self:
        if not (self.authenticates or self.allow_no_auth or is_loopback(self.host)):
            raise ValueError(
                f"BANYAN_AUTH=off, and the service would listen on {self.host} for everyone; "
                "leave BANYAN_AUTH out, keep BANYAN_HOST on loopback, or set "
                "BANYAN_ALLOW_NO_AUTH=true where something in front of it admits callers"
            )
        return self

    @model_validator(mode="after")
    def _tokens_are_checked_whole(self) -> Self:
        if bool(self.oidc_issuer) != bool(self.oidc_audience):
            raise ValueError(
                "BANYAN_OIDC_ISSUER and BANYAN_OIDC_AUDIENCE go together: set both or none"
            )
        foreign = set(self.oidc_algorithm_names) - _ALGORITHMS
        if foreign or not self.oidc_algorithm_names:
            raise ValueError(
                f"BANYAN_OIDC_ALGORITHMS: choose of {', '.join(sorted(_ALGORITHMS))}; "
                "with others, whoever can check a token could make one"
            )
        return self

    @property
    def oidc_algorithm_names(self) -> list[str]:
        """The signatures that are taken."""
        return [name.strip() for name in self.oidc_algorithms.split(",") if name.strip()]

    @model_validator(mode="after")
    def _base_model_is_whole(self) -> Self:
        if bool(self.base_model) != bool(self.base_fingerprint):
            raise ValueError(
                "BANYAN_BASE_MODEL and BANYAN_BASE_FINGERPRINT go together: set both or none"
            )
        return self
