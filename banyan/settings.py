"""Settings that the service and the workers share. Read once at start-up, then passed down."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

EngineKind = Literal["llama", "vllm", "openai"]

EngineConcurrency = Literal["auto", "off"] | Annotated[int, Field(ge=1, le=10_000)]
"""Found by itself, without a limit, or so many calls."""


class Settings(BaseSettings):
    """Environment variables with the prefix `BANYAN_`, for example `BANYAN_REDIS_URL`."""

    model_config = SettingsConfigDict(env_prefix="BANYAN_", extra="ignore", frozen=True)

    redis_url: str = Field(
        "redis://127.0.0.1:6379/0",
        description="State store: Redis or Valkey, standalone or cluster.",
    )
    broker_url: str | None = Field(
        None, description="Celery's broker, standalone or Sentinel; default: the state store."
    )
    broker_master_name: str = Field(
        "", description="With a broker URL `sentinel://...`: which master Sentinel is asked for."
    )
    num_shards: int = Field(8, ge=1, le=256, description="Fixed at install.")
    blob_dir: Path = Field(
        Path("var/blobs"), description="Folder for documents, shared by service and workers."
    )
    blob_url: str = Field(
        "",
        pattern=r"^(s3://[^/?#]+(/[^?#]*)?)?$",
        description="Bucket (S3) for documents, `s3://BUCKET/PREFIX`; default: the folder.",
    )
    s3_endpoint: str = Field(
        "", pattern=r"^(https?://\S+)?$", description="Of the S3-compatible store; default: AWS."
    )
    s3_region: str = Field("us-east-1", description="Of the bucket.")
    s3_access_key_id: str = Field(
        "", description="Default: credentials are found as AWS's own tools find them."
    )
    s3_secret_access_key: str = Field("", repr=False, description="Of that access key.")
    policy_dir: Path = Field(
        Path("var/policies"),
        description="Folder for published weights, shared by service, workers and model servers.",
    )
    policy_margin: float = Field(
        0.02, ge=0, description="How much worse a version's mean reward may be than the live one's."
    )
    engine_kind: EngineKind = Field("vllm", description="Protocol of the model server.")
    engine_urls: str = Field(
        "http://127.0.0.1:8000", description="Model servers (replicas), separated by commas."
    )
    engine_model: str = Field("", description="Served model's name; default: the first it serves.")
    engine_api_key: str = Field("", repr=False, description="Bearer token for the model server.")
    engine_window: int | None = Field(
        None, ge=512, description="Tokens; default: what the server says."
    )
    engine_timeout_s: float = Field(
        600.0, gt=0, description="Of one model call, until the next bytes of its reply."
    )
    policies: Path | None = Field(
        None, description="File (TOML or JSON) of policies; default: `base` on the engine above."
    )
    packer_url: str = Field(
        "", description="Packer server, for the state `hidden` on vLLM with prompt embeddings."
    )
    lease_s: float = Field(30.0, gt=0, description="Until a silent worker's node is given away.")
    queued_s: float = Field(15.0, gt=0, description="Until an unclaimed hint is sent again.")
    tenant_dispatch: int = Field(
        1_024, ge=1, description="Nodes of one tenant that are dispatched at one time, per shard."
    )
    tenant_queued: int = Field(
        64,
        ge=1,
        description="Of these, nodes that no worker has yet: what other tenants wait behind.",
    )
    retention_s: float = Field(
        7 * 86_400.0,
        ge=86_400.0,
        description="How long finished trees are kept; their idempotency keys for as long.",
    )
    max_events: int = Field(
        1_000_000, ge=1, description="Events of one tree that are kept, the newest ones."
    )
    webhook_networks: str = Field(
        "",
        description="Networks (CIDR, separated by commas) that webhooks may reach though they are "
        "not public, and without TLS.",
    )
    trajectory_dir: Path | None = Field(
        None, description="Folder of the trajectory log; default: nothing is logged."
    )
    trajectory_url: str = Field(
        "",
        pattern=r"^(s3://[^/?#]+(/[^?#]*[^/?#])?)?$",
        description="S3-compatible bucket of the log, `s3://BUCKET/PREFIX`, and not the folder.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    live_settings: Path | None = Field(
        None, description="File (TOML) of settings that are taken over while a program runs."
    )
    metrics_host: str = Field("127.0.0.1", description="Address of the page of metrics.")
    metrics_port: int | None = Field(
        None, ge=0, le=65_535, description="Its port, 0 takes a free one; default: no page."
    )
    metrics_tenants: bool = Field(
        False, description="Metrics by tenant too, for those who may know all tenants' names."
    )
    traces_url: str = Field(
        "", description="Collector of OpenTelemetry, by OTLP over HTTP; default: no traces."
    )
    traces_share: float = Field(1.0, ge=0, le=1, description="Of trees whose traces are kept.")

    @property
    def broker_options(self) -> dict[str, str]:
        """What Celery's transport is told beside the URL."""
        return {"master_name": self.broker_master_name} if self.broker_master_name else {}

    @property
    def logs_trajectories(self) -> bool:
        """Whether there is a trajectory log."""
        return bool(self.trajectory_url) or self.trajectory_dir is not None

    @property
    def broker(self) -> str:
        """Celery's broker URL."""
        return self.broker_url or self.redis_url


class TraitSettings(Settings):
    """What workers know of the policies on the engine of the settings, and who trains them too."""

    briefs: bool = Field(
        True, description="Agents write briefs and sub-goals; false for very small models."
    )
    cites: bool = Field(
        True, description="Agents name what they cite; false: it is found by shared words."
    )
    json_answers: bool = Field(
        True, description="Answers in text are written as JSON; false, without cites, as they are."
    )
    merges: bool = Field(
        True, description="Agents combine results; false: short results are joined in order."
    )
    word_limits: bool = Field(
        True, description="Agents are told how many words an answer may have."
    )
    frequency_penalty: float = Field(
        0.0, ge=-2, le=2, description="Of actions; 1 keeps very small models from repeating."
    )
    structured_children: bool = Field(
        True, description="Agents may ask children for objects, and for records to be counted."
    )
    records_at_once: int = Field(
        4, ge=1, description="Records that an agent labels in one answer, where they are counted."
    )
    overlap_tokens: int = Field(
        0, ge=0, description="Text before a part that its reader sees too, if agents ask for none."
    )
    gates_parts: bool = Field(
        False,
        description="Agents choose whether parts that fit are divided again; reads them twice.",
    )

    @property
    def traits(self) -> dict[str, bool | float]:
        """Of the policies that are on the engine of the settings."""
        names = (
            *("briefs", "cites", "json_answers", "merges", "word_limits"),
            *("frequency_penalty", "overlap_tokens", "structured_children", "gates_parts"),
            "records_at_once",
        )
        return {name: getattr(self, name) for name in names}


def what_is_wrong(error: ValidationError) -> str:
    """A line for each variable that cannot be what it is."""
    lines = []
    for detail in error.errors():
        where = ".".join(str(part) for part in detail["loc"])
        name = f"BANYAN_{where.upper()}: " if where else ""
        lines.append(f"{name}{detail['msg'].removeprefix('Value error, ')}\n")
    return "".join(lines)
