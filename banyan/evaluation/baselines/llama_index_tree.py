"""LlamaIndex's `tree_summarize`, from its own package, on our engine.

The package packs the text into chunks that fill the window, asks the goal over each, and packs
and asks again until one answer is left. Prompts, packing and recursion are its own; only calls
go through `Calls`, so that window, sampling and counting are those of the other baselines.
Needs `pip install llama-index-core`, which is in no extra: it brings 60 packages.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

from banyan.errors import AbilityMissing, PromptTooLong
from banyan.evaluation.baselines.calls import Calls
from banyan.evaluation.baselines.job import Job, Reply
from banyan.ports import Message

PACKAGE = "llama_index"

_LEAST_ANSWER_TOKENS = 64
"""Of every node of the tree; the package has one length for all."""
_FRAME_TOKENS = 32
"""What the chat template takes, which the package does not know of."""
_FILL = 0.95
"""It counts with another model's tokenizer; the measured ratio differs from chunk to chunk."""
_SAMPLE_CHARS = 8_000


def is_installed() -> bool:
    return find_spec(PACKAGE) is not None


def check_installed() -> None:
    """Raises AbilityMissing without the package."""
    if not is_installed():
        raise AbilityMissing(
            "the package llama-index-core is not installed",
            hint="Run `pip install llama-index-core` in this environment.",
        )


async def llama_index_tree(job: Job) -> Reply:
    """Summarise in a tree; under a schema one more call turns the answer into JSON.

    Raises AbilityMissing without the package, PromptTooLong where its count was too low.
    """
    check_installed()
    if not job.text:
        return Reply(await job.answer(job.single("")), ())
    from llama_index.core.indices.prompt_helper import PromptHelper  # noqa: PLC0415
    from llama_index.core.response_synthesizers import TreeSummarize  # noqa: PLC0415
    from llama_index.core.utils import get_tokenizer  # noqa: PLC0415

    tokens = max(_LEAST_ANSWER_TOKENS, job.question.answer_tokens)
    window = int((job.calls.window - tokens - _FRAME_TOKENS) / await _ratio(job, get_tokenizer()))
    tree = TreeSummarize(
        llm=_model(job.calls, tokens),
        prompt_helper=PromptHelper(context_window=int(_FILL * window) + tokens, num_output=tokens),
    )
    try:
        text = str(await tree.aget_response(job.goal, [job.text]))
    except ValueError as error:  # the package's word for a goal that leaves no room
        raise PromptTooLong(str(error)) from error
    if job.question.answer_schema is not None:
        text = await job.answer(job.single(text))
    return Reply(text, ((0, len(job.text)),))


async def _ratio(job: Job, tokenizer: Callable[[str], list[int]]) -> float:
    """Tokens of our engine for each token that the package counts."""
    sample = job.text[:_SAMPLE_CHARS]
    return max(1.0, await job.calls.count(sample) / max(1, len(tokenizer(sample))))


def _model(calls: Calls, max_tokens: int) -> Any:
    """An LLM of the package that asks our engine."""
    from llama_index.core.llms import CompletionResponse, CustomLLM, LLMMetadata  # noqa: PLC0415

    class OurModel(CustomLLM):  # type: ignore[misc]
        @property
        def metadata(self) -> Any:
            return LLMMetadata(context_window=calls.window, num_output=max_tokens)

        async def acomplete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> Any:  # noqa: FBT001, FBT002  # the package's signature
            del formatted, kwargs
            text = await calls.ask((Message("user", prompt),), max_tokens=max_tokens)
            return CompletionResponse(text=text)

        def complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> Any:  # noqa: FBT001, FBT002
            raise NotImplementedError("this model is asked asynchronously alone")

        def stream_complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> Any:  # noqa: FBT001, FBT002
            raise NotImplementedError("this model is asked asynchronously alone")

    return OurModel()
