"""Traces that go nowhere: what programs have where nobody collects them."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext

from banyan.ports.traces import Attribute, RequestSpan


class _NoSpan:
    """`banyan.ports.traces.RequestSpan`, unheard."""

    def say(self, attributes: Mapping[str, Attribute]) -> None:
        """Nothing."""

    def failed(self, kind: str) -> None:
        """Nothing."""

    def of_tree(self, tree_id: str) -> None:
        """Nothing."""


_NOTHING: AbstractContextManager[RequestSpan] = nullcontext(_NoSpan())


class NoTraces:
    """`banyan.ports.Traces` where nobody looks."""

    def node(self, *_: object) -> AbstractContextManager[RequestSpan]:
        """A span that is not kept."""
        return _NOTHING

    def call(self, *_: object) -> AbstractContextManager[RequestSpan]:
        """A span that is not kept."""
        return _NOTHING

    def wait(self, *_: object) -> AbstractContextManager[RequestSpan]:
        """A span that is not kept."""
        return _NOTHING

    def request(self, *_: object) -> AbstractContextManager[RequestSpan]:
        """A span that is not kept."""
        return _NOTHING

    def close(self) -> None:
        """Nothing to send."""
