"""Traces by OpenTelemetry, sent to a collector by OTLP over HTTP.

All processes that work on a tree tell the same trace without telling one another: the trace's id is
a hash of the tree's, and a stretch's id is a hash of tree, path and epoch. So a parent that was put
away is found by what its children know of it, and nothing about traces is stored. A share of traces
is kept, chosen by the id too, so that a tree is kept whole or not at all.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import Decision, ParentBased, TraceIdRatioBased
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
)
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from banyan import signals
from banyan.node import ROOT_PATH, parent_path
from banyan.ports import Claimed
from banyan.ports.traces import Attribute

_FIRST_EPOCH = 1
"""Of a root's first claim."""

_ids: ContextVar[tuple[int, int] | None] = ContextVar("ids of the next span", default=None)
_propagator = TraceContextTextMapPropagator()


class OpenTelemetryTraces:
    """`banyan.ports.Traces` of one program. `share` of the trees is kept."""

    def __init__(self, processor: SpanProcessor, *, service: str, share: float = 1.0) -> None:
        self._sampler = TraceIdRatioBased(share)
        self._provider = TracerProvider(
            sampler=ParentBased(self._sampler),
            resource=Resource.create({"service.name": service}),
            id_generator=_NamedIds(),
            shutdown_on_exit=False,
        )
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("banyan")

    @contextmanager
    def node(self, claimed: Claimed, attributes: Mapping[str, Attribute]) -> Iterator[_Span]:
        """See the port."""
        lease = claimed.lease
        above = parent_path(lease.path)
        around = Context()
        if above is not None:
            # Of a release that did not keep the epoch, the parent's first stretch is a good guess.
            made_by = self._context(lease.tree_id, above, claimed.parent_epoch or _FIRST_EPOCH)
            around = trace.set_span_in_context(NonRecordingSpan(made_by), around)
        links: Sequence[Link] = ()
        if claimed.suspended_epoch is not None:
            before = self._context(lease.tree_id, lease.path, claimed.suspended_epoch)
            links = [Link(before, {signals.LINK: "suspended"})]
        token = _ids.set(_ids_of(lease.tree_id, lease.path, lease.epoch))
        try:
            span = self._tracer.start_span(
                f"{signals.INVOKE_AGENT} {signals.AGENT}", around, links=links
            )
        finally:
            _ids.reset(token)
        with _open(span, attributes) as told:
            yield told

    @contextmanager
    def call(self, name: str, attributes: Mapping[str, Attribute]) -> Iterator[_Span]:
        """See the port."""
        with _open(self._tracer.start_span(name, kind=SpanKind.CLIENT), attributes) as told:
            yield told

    @contextmanager
    def wait(self, name: str, attributes: Mapping[str, Attribute]) -> Iterator[_Span]:
        """See the port."""
        with _open(self._tracer.start_span(name), attributes) as told:
            yield told

    @contextmanager
    def request(
        self, name: str, headers: Mapping[str, str], attributes: Mapping[str, Attribute]
    ) -> Iterator[_RequestSpan]:
        """See the port."""
        around = _propagator.extract(headers, Context())
        span = self._tracer.start_span(name, around, kind=SpanKind.SERVER)
        with _open(span, attributes):
            yield _RequestSpan(span, self)

    def close(self) -> None:
        """See the port."""
        self._provider.shutdown()

    def first_of(self, tree_id: str) -> SpanContext:
        """The first stretch of a tree's root."""
        return self._context(tree_id, ROOT_PATH, _FIRST_EPOCH)

    def _context(self, tree_id: str, path: str, epoch: int) -> SpanContext:
        """A stretch that another process has told, or will tell."""
        trace_id, span_id = _ids_of(tree_id, path, epoch)
        decision = self._sampler.should_sample(None, trace_id, "").decision
        is_kept = decision is Decision.RECORD_AND_SAMPLE
        flags = TraceFlags(TraceFlags.SAMPLED if is_kept else TraceFlags.DEFAULT)
        return SpanContext(trace_id, span_id, is_remote=True, trace_flags=flags)


def collected_at(url: str, *, service: str, share: float) -> OpenTelemetryTraces:
    """Traces that go to the collector at `url`, by OTLP over HTTP."""
    return OpenTelemetryTraces(BatchSpanProcessor(_exporter(url)), service=service, share=share)


def _exporter(url: str) -> SpanExporter:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415
        OTLPSpanExporter,
    )

    return OTLPSpanExporter(f"{url.rstrip('/')}/v1/traces")


class _Span:
    """`banyan.ports.traces.Span`."""

    def __init__(self, span: trace.Span) -> None:
        self._span = span

    def say(self, attributes: Mapping[str, Attribute]) -> None:
        self._span.set_attributes(attributes)

    def failed(self, kind: str) -> None:
        self._span.set_attribute(signals.ERROR_TYPE, kind)
        self._span.set_status(Status(StatusCode.ERROR))


class _RequestSpan(_Span):
    """`banyan.ports.traces.RequestSpan`."""

    def __init__(self, span: trace.Span, traces: OpenTelemetryTraces) -> None:
        super().__init__(span)
        self._traces = traces

    def of_tree(self, tree_id: str) -> None:
        self._span.add_link(self._traces.first_of(tree_id), {signals.LINK: "tree"})
        self._span.set_attribute(signals.CONVERSATION, tree_id)


class _NamedIds(RandomIdGenerator):
    """Random ids, but for spans that have a name of their own."""

    def generate_trace_id(self) -> int:
        named = _ids.get()
        return named[0] if named else super().generate_trace_id()

    def generate_span_id(self) -> int:
        named = _ids.get()
        return named[1] if named else super().generate_span_id()


@contextmanager
def _open(span: trace.Span, attributes: Mapping[str, Attribute]) -> Iterator[_Span]:
    """The span as the one that is open; an error that leaves it is told by its type alone."""
    told = _Span(span)
    told.say(attributes)
    with trace.use_span(
        span, end_on_exit=True, record_exception=False, set_status_on_exception=False
    ):
        try:
            yield told
        except BaseException as error:
            told.failed(type(error).__name__)
            raise


def _ids_of(tree_id: str, path: str, epoch: int) -> tuple[int, int]:
    """Ids of the tree's trace and of one stretch of a node; never 0, which is no id."""
    trace_id = hashlib.blake2b(tree_id.encode(), digest_size=16).digest()
    span_id = hashlib.blake2b(f"{tree_id}|{path}|{epoch}".encode(), digest_size=8).digest()
    return int.from_bytes(trace_id) or 1, int.from_bytes(span_id) or 1
