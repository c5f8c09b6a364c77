"""The application: routes on ports. `create_app` is all that tests and `main` need."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from banyan.adapters.destinations import Destinations
from banyan.adapters.extraction.extractor import ExtractionLimits, Extractor
from banyan.adapters.live_file import LiveFile
from banyan.adapters.memory_access import MemoryAccess
from banyan.adapters.memory_ledger import MemoryLedger
from banyan.adapters.memory_policies import MemoryPolicies
from banyan.adapters.observed_store import ObservedStore
from banyan.adapters.observing import Observing
from banyan.adapters.served_versions import ServedVersions
from banyan.adapters.uploads import Uploads
from banyan.errors import BanyanError
from banyan.live_settings import LiveSettings
from banyan.policy import ONLY_BASE
from banyan.ports import AccessStore, Ledger, Library, PolicyStore, Queue, Store
from banyan.telemetry import set_level
from service import problems
from service.auth.described import secured
from service.auth.gate import AuthGate
from service.auth.keyring import Keyring
from service.context import BodyLimit, RequestContext
from service.dependencies import Ports
from service.engine_probe import EngineProbe
from service.examples import add_examples
from service.facade.errors import PREFIX, OpenAIErrors
from service.local_only import LocalOnly
from service.openapi_page import OpenApiPage
from service.quota.meter import Meters
from service.quota.rules import make_rules
from service.routes import (
    deletion,
    documents,
    estimate,
    facade,
    feedback,
    health,
    keys,
    listing,
    openapi,
    policies,
    resume,
    solve,
    texts,
    trace,
    tree,
    web,
    webhooks,
)
from service.routes import metrics as metrics_page
from service.settings import ServiceSettings
from service.survey import Surveyor
from service.versions import make_publisher

if TYPE_CHECKING:
    from banyan.adapters.policy_file import Listed
    from service.auth.oidc import TokenIssuer

VERSION = "0.1.0"
DESCRIPTION = """\
Recursive inference: give a goal and any amount of text; copies of one language model divide the
work among themselves, and the answer comes back with its sources.

Errors are `application/problem+json`: `code` is stable, `hint` says what to do."""


def create_app(
    store: Store,
    library: Library,
    queue: Queue,
    settings: ServiceSettings,
    listed: Listed | None = None,
    *,
    versions: PolicyStore | None = None,
    access: AccessStore | None = None,
    ledger: Ledger | None = None,
    observing: Observing | None = None,
) -> FastAPI:
    """The service on these ports, which it closes when it ends.

    `listed`: the file of policies. `versions`: where their versions are kept, `access`: where keys
    are, `ledger`: where tenants' trees are counted; default: in memory, for a service on its own.
    `observing`: who hears of it all, closed at the end too.
    """
    observing = observing or Observing(settings, "service")
    metrics = observing.metrics
    store = ObservedStore(store, metrics)
    versions = versions or MemoryPolicies()
    served = listed.policies if listed else ONLY_BASE
    ledger = ledger or MemoryLedger()
    ports = Ports(
        store=store,
        library=library,
        queue=queue,
        settings=settings,
        versions=ServedVersions(versions, served.resolve),
        publisher=make_publisher(versions, served.resolve, settings),
        meters=Meters(make_rules(settings), ledger, store),
        observing=observing,
        access=access or MemoryAccess(),
        destinations=Destinations(settings.webhook_networks),
        uploads=Uploads(_extractor(settings)),
        policy_names=served.names,
        engines=EngineProbe(listed.engines if listed else {}),
    )

    issuer = _token_issuer(settings) if settings.oidc_issuer else None
    surveyor = Surveyor(store, versions, metrics)

    def take_over(found: LiveSettings) -> None:
        ports.meters.change(make_rules(settings, found.quotas))
        set_level(found.log_level or settings.log_level)

    beside = [settings.quotas] if settings.quotas else []
    live = LiveFile(settings, take_over, metrics, beside=beside)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        surveyor.start()
        live.start()
        try:
            yield
        finally:
            ports.stopping.set()
            await surveyor.close()
            await live.close()
            await ports.engines.close()
            if issuer is not None:
                await issuer.close()
            await ports.access.close()
            await ledger.close()
            await queue.close()
            await library.close()
            await ports.versions.close()
            await store.close()
            observing.close()

    app = Service(
        title="Banyan",
        version=VERSION,
        description=DESCRIPTION,
        lifespan=lifespan,
        redirect_slashes=False,
        openapi_url=None,  # FastAPI's own route makes the document on the event loop
        docs_url=None,  # FastAPI's own pages load scripts of another origin; ours is in service/web
        redoc_url=None,
    )
    app.state.ports = ports
    app.state.openapi = OpenApiPage(lambda: app.openapi())  # noqa: PLW0108  # looked up then
    for feature in (
        solve,
        estimate,
        listing,
        resume,
        deletion,
        tree,
        trace,
        feedback,
        documents,
        texts,
        policies,
        keys,
        webhooks,
        facade,
        health,
        metrics_page,
        openapi,
        web,
    ):
        app.include_router(feature.router)
    app.add_exception_handler(BanyanError, problems.from_banyan)
    app.add_exception_handler(HTTPException, problems.from_http)
    app.add_exception_handler(RequestValidationError, problems.from_validation)
    app.add_middleware(
        BodyLimit,
        max_bytes=settings.max_body_bytes,
        by_path={"/documents": settings.max_document_bytes},
    )
    keyring = Keyring(ports.access, issuer) if settings.authenticates else None
    app.add_middleware(AuthGate, keyring=keyring)
    if not settings.authenticates and not settings.allow_no_auth:
        app.add_middleware(LocalOnly)
    app.add_middleware(RequestContext, observing=observing)
    app.add_middleware(OpenAIErrors)  # the last one added is the outermost
    return app


def _token_issuer(settings: ServiceSettings) -> TokenIssuer:
    from service.auth.oidc import TokenIssuer  # noqa: PLC0415 - cryptography is slow to import

    return TokenIssuer(settings)


def _extractor(settings: ServiceSettings) -> Extractor:
    limits = ExtractionLimits(
        timeout_s=settings.extract_timeout_s,
        memory_bytes=settings.extract_memory_bytes,
        max_pages=settings.extract_max_pages,
        max_text_bytes=settings.max_document_bytes,
        num_parallel=settings.extract_parallel,
    )
    return Extractor(limits)


class Service(FastAPI):
    """FastAPI, with problems in place of its own description of errors."""

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document, made once."""
        if self.openapi_schema is None:
            document = super().openapi()
            schemas = document["components"]["schemas"]
            for name in ("HTTPValidationError", "ValidationError"):
                schemas.pop(name, None)
            schemas.update(problems.schemas())
            for path, operations in document["paths"].items():
                for operation in operations.values() if path.startswith(PREFIX) else ():
                    operation["responses"].pop("422", None)  # it is 400 there
            secured(document)
            add_examples(document)
        return super().openapi()
