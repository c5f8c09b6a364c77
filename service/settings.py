"""Settings of the service: where it listens, and how much it takes in."""

from __future__ import annotations

import ipaddress
from typing import Self

from pydantic import Field, model_validator

from banyan.settings import Settings

MIB = 1024 * 1024


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
    allow_no_auth: bool = Field(
        False, description="Listen beyond loopback although requests are not authenticated."
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
    default_wait_s: float = Field(60.0, ge=0, description="`POST /solve` without `Prefer`.")
    max_wait_s: float = Field(600.0, ge=0, description="The longest wait that is granted.")
    heartbeat_s: float = Field(15.0, gt=0, description="Between comments on idle event streams.")
    shutdown_s: int = Field(10, ge=1, description="Grace for requests in flight at shutdown.")

    @model_validator(mode="after")
    def _authenticated_or_loopback(self) -> Self:
        if not self.allow_no_auth and not is_loopback(self.host):
            raise ValueError(
                f"the service has no authentication yet and would listen on {self.host}; "
                "keep BANYAN_HOST on loopback, or set BANYAN_ALLOW_NO_AUTH=true where "
                "something in front of it admits callers"
            )
        return self

    @model_validator(mode="after")
    def _base_model_is_whole(self) -> Self:
        if bool(self.base_model) != bool(self.base_fingerprint):
            raise ValueError(
                "BANYAN_BASE_MODEL and BANYAN_BASE_FINGERPRINT go together: set both or none"
            )
        return self
