"""Around: the base of engines that stand before another one and change only some of its calls."""

from __future__ import annotations

from collections.abc import Sequence

from banyan.ports import Abilities, Engine, Message, Prompt


class Around:
    """The part of `banyan.ports.Engine` that goes to `inner` as it is."""

    def __init__(self, inner: Engine) -> None:
        self._inner = inner

    async def abilities(self) -> Abilities:
        return await self._inner.abilities()

    async def count(self, text: str) -> int:
        return await self._inner.count(text)

    async def render(self, messages: Sequence[Message]) -> Prompt:
        return await self._inner.render(messages)

    async def ping(self) -> None:
        await self._inner.ping()

    async def close(self) -> None:
        await self._inner.close()
