"""GET /metrics: what Prometheus reads, for administrators.

Scrapers have a page without keys at an address of its own, see `banyan/adapters/prometheus.py`.
"""

from __future__ import annotations

from fastapi import APIRouter, Response
from fastapi.responses import PlainTextResponse

from banyan.adapters.prometheus import CONTENT_TYPE
from service.dependencies import PortsOf

router = APIRouter(tags=["health"])


@router.get("/metrics", summary="Read this process's metrics", response_class=PlainTextResponse)
async def read(ports: PortsOf) -> Response:
    """In Prometheus's text format."""
    return Response(ports.observing.page(), media_type=CONTENT_TYPE)
