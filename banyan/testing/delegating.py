"""A model server whose one delegation is given: small models write none reliably."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from banyan.adapters.replicas import Replicas
from banyan.ports import CallOptions, Completion, Engine, OnDelta, Prompt


class Delegating(Replicas):
    """`engine`, but that a listing of children is written here: one child a goal.

    The server reads the prompt of the delegation all the same, so that it is cached as it would be.
    """

    def __init__(self, name: str, engine: Engine, goals: Sequence[str], brief: str) -> None:
        super().__init__([(name, engine)])
        children = [{"goal": goal, "expects": None} for goal in goals]
        self._delegation = json.dumps({"brief": brief, "children": children})

    async def complete(
        self,
        prompt: Prompt,
        *,
        schema: Mapping[str, Any] | None,
        max_tokens: int,
        options: CallOptions,
        on_delta: OnDelta | None = None,
    ) -> Completion:
        if '"children"' not in json.dumps(schema):
            return await super().complete(
                prompt, schema=schema, max_tokens=max_tokens, options=options, on_delta=on_delta
            )
        read = await super().complete(prompt, schema=None, max_tokens=1, options=options)
        return replace(
            read, text=self._delegation, finish_reason="stop", token_ids=None, logprobs=None
        )
