"""The traces port: where programs tell how long what took, and what led to what."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Protocol

from banyan.ports.store import Claimed

Attribute = str | int | float | bool | list[str]


class Span(Protocol):
    """Something that takes a while."""

    def say(self, attributes: Mapping[str, Attribute]) -> None:
        """Add what is known of it by now."""
        ...

    def failed(self, kind: str) -> None:
        """It did not succeed. `kind` is a code or a type, never a message."""
        ...


class Traces(Protocol):
    """Spans belong together by the tree, whichever processes they come from. Never fails."""

    def node(
        self, claimed: Claimed, attributes: Mapping[str, Attribute]
    ) -> AbstractContextManager[Span]:
        """One stretch of a node: from a claim to its suspension or end.

        It is a child of the stretch in which its parent made it, and linked to the stretch before.
        """
        ...

    def call(self, name: str, attributes: Mapping[str, Attribute]) -> AbstractContextManager[Span]:
        """A call of another program, inside the span that is open."""
        ...

    def wait(self, name: str, attributes: Mapping[str, Attribute]) -> AbstractContextManager[Span]:
        """Time in which nothing is done for what the open span is of."""
        ...

    def request(
        self, name: str, headers: Mapping[str, str], attributes: Mapping[str, Attribute]
    ) -> AbstractContextManager[RequestSpan]:
        """A request that is answered; inside the caller's span where `headers` name one."""
        ...

    def close(self) -> None:
        """Send what has not been sent yet."""
        ...


class RequestSpan(Span, Protocol):
    """A request, which may begin a tree."""

    def of_tree(self, tree_id: str) -> None:
        """Link to the tree's first stretch."""
        ...
