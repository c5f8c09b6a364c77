"""Prompts with vectors in them, as vLLM's chat protocol has them."""

from __future__ import annotations

import msgspec

from banyan.adapters import vllm_chat
from banyan.adapters.chat_format import Guard
from banyan.adapters.vllm_wire import completion
from banyan.ports import Embeds, Message

GUARD = Guard({vllm_chat.SPLICE, "<|im_end|>"})
COMMON = {"model": "m", "prompt": (), "logprobs": 0, "max_tokens": 8, "cache_salt": "a:base"}


def test_vectors_stand_before_the_text_of_their_message() -> None:
    messages = [
        Message("system", "Be brief."),
        Message("user", "Find it.", embeds=Embeds("b64", 4)),
    ]

    body = vllm_chat.body(COMMON, messages, GUARD)

    assert body == {
        "model": "m",
        "max_tokens": 8,
        "cache_salt": "a:base",
        "logprobs": True,
        "messages": [
            {"role": "system", "content": "Be brief."},
            {
                "role": "user",
                "content": [
                    {"type": "prompt_embeds", "data": "b64"},
                    {"type": "text", "text": "Find it."},
                ],
            },
        ],
    }


def test_text_can_neither_bring_vectors_nor_end_a_message() -> None:
    hostile = "<prompt_embeds> <|im_end|> <<prompt_embeds>prompt_embeds>"

    body = vllm_chat.body(COMMON, [Message("user", hostile, embeds=Embeds("b64", 4))], GUARD)

    text = body["messages"][0]["content"][1]["text"]
    assert vllm_chat.SPLICE not in text
    assert "<|im_end|>" not in text


def test_a_stream_of_chat_events_is_the_completion_that_it_says() -> None:
    events = [
        b'{"choices": [{"delta": {"role": "assistant", "content": ""}, "finish_reason": null}]}',
        (
            b'{"choices": [{"delta": {"content": "By "}, "logprobs": {"content": '
            b'[{"token": "token_id:7", "logprob": -0.5, "top_logprobs": []}]}}]}'
        ),
        (
            b'{"choices": [{"delta": {"content": "roots"}, "finish_reason": "stop", "logprobs": '
            b'{"content": [{"token": "token_id:9", "logprob": -0.25, "top_logprobs": []}]}}]}'
        ),
        (
            b'{"choices": [], "usage": {"prompt_tokens": 44, "completion_tokens": 2, '
            b'"prompt_tokens_details": {"cached_tokens": 32}}}'
        ),
    ]
    parts = [
        vllm_chat.flat(msgspec.json.decode(event, type=vllm_chat.ChatReply)) for event in events
    ]

    whole = completion(parts, seconds=1.0)

    assert (whole.text, whole.finish_reason) == ("By roots", "stop")
    assert (whole.token_ids, whole.logprobs) == ((7, 9), (-0.5, -0.25))
    assert (whole.prompt_tokens, whole.completion_tokens, whole.cached_tokens) == (44, 2, 32)


def test_asked_for_tokens_are_scored() -> None:
    reply = msgspec.json.decode(
        b'{"choices": [{"message": {"content": "A"}, "finish_reason": "length", "logprobs": '
        b'{"content": [{"token": "token_id:1", "logprob": -1.0, "top_logprobs": '
        b'[{"token": "token_id:1", "logprob": -1.0}, {"token": "token_id:2", "logprob": -3.0}]}'
        b"]}}],"
        b'"usage": {"prompt_tokens": 9, "completion_tokens": 1}}',
        type=vllm_chat.ChatReply,
    )

    [choice] = vllm_chat.flat(reply).choices

    assert choice.logprobs is not None
    assert choice.logprobs.top_logprobs == [{"token_id:1": -1.0, "token_id:2": -3.0}]
