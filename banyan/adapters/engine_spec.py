"""Engine spec: which model servers make one engine, and how they are spoken to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import urlsplit

from banyan.errors import InvalidInput
from banyan.settings import EngineKind, Settings


@dataclass(frozen=True, slots=True)
class EngineSpec:
    """Replicas of one model at `urls`. Equal specs are one engine."""

    kind: EngineKind
    urls: tuple[str, ...]
    model: str = ""
    window: int | None = None
    api_key: str = field(default="", repr=False)
    timeout_s: float = 600.0
    embeds: bool = False
    """vLLM was started with `--enable-prompt-embeds`, which it tells nobody."""

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The engine of the settings.

        Raises InvalidInput where `engine_urls` names no server, or there is a packer for an engine
        that takes no prompt embeddings.
        """
        if settings.packer_url and settings.engine_kind != "vllm":
            raise InvalidInput(
                f"packer_url: {settings.engine_kind} takes no prompt embeddings",
                hint="Set BANYAN_ENGINE_KIND=vllm, or leave BANYAN_PACKER_URL out.",
            )
        return cls(
            kind=settings.engine_kind,
            urls=urls_of(settings.engine_urls.split(","), where="BANYAN_ENGINE_URLS"),
            model=settings.engine_model,
            window=settings.engine_window,
            api_key=settings.engine_api_key,
            timeout_s=settings.engine_timeout_s,
            embeds=bool(settings.packer_url),
        )


def urls_of(given: Iterable[str], *, where: str) -> tuple[str, ...]:
    """Each address once, without a slash at its end. Raises InvalidInput for what is none."""
    urls = [url.strip().rstrip("/") for url in given if url.strip()]
    wrong = [url for url in urls if not url.startswith(("http://", "https://"))]
    if wrong or not urls:
        raise InvalidInput(
            f"{where}: {', '.join(wrong) or 'empty'}",
            hint="Give http:// or https:// addresses, several of them where there are replicas.",
        )
    return tuple(dict.fromkeys(urls))


def server_name(url: str) -> str:
    """Host and port, as metrics name a server."""
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)
