"""What every engine promises: the scripted one, the OpenAI adapter, llama.cpp and real vLLM."""

from __future__ import annotations

import json

import pytest
from jsonschema import Draft202012Validator

from banyan.errors import EngineRefused, PromptTooLong
from banyan.ports import CallOptions, Engine, Message, Sampling
from tests.engine.dialogues import ANSWER, DIALOGUE, OPTIONS, QUESTION, SAMPLED, SYSTEM


async def test_abilities_name_the_model_and_its_window(engine: Engine) -> None:
    abilities = await engine.abilities()

    assert abilities.model
    assert abilities.window == 2_048
    assert abilities.structured


async def test_a_server_that_is_up_answers_a_ping(engine: Engine) -> None:
    await engine.ping()


async def test_a_reply_under_a_schema_is_an_instance_of_it(engine: Engine) -> None:
    prompt = await engine.render(DIALOGUE)

    completion = await engine.complete(prompt, schema=ANSWER, max_tokens=120, options=OPTIONS)

    Draft202012Validator(ANSWER).validate(json.loads(completion.text))
    assert completion.finish_reason == "stop"


async def test_deltas_join_to_the_text(engine: Engine) -> None:
    prompt = await engine.render(DIALOGUE)
    deltas: list[str] = []

    async def on_delta(text: str) -> None:
        deltas.append(text)

    completion = await engine.complete(
        prompt, schema=ANSWER, max_tokens=120, options=OPTIONS, on_delta=on_delta
    )

    assert len(deltas) > 1
    assert "".join(deltas) == completion.text
    assert completion.completion_tokens > 0


async def test_a_reply_that_is_cut_says_so(engine: Engine) -> None:
    prompt = await engine.render(DIALOGUE)

    completion = await engine.complete(prompt, schema=ANSWER, max_tokens=2, options=OPTIONS)

    assert completion.finish_reason == "length"
    assert completion.completion_tokens <= 2


async def test_usage_counts_the_prompt(engine: Engine) -> None:
    prompt = await engine.render(DIALOGUE)

    completion = await engine.complete(prompt, schema=None, max_tokens=8, options=OPTIONS)

    assert completion.prompt_tokens > 0
    if prompt.token_ids is not None:
        assert completion.prompt_tokens == prompt.num_tokens


async def test_longer_text_has_more_tokens(engine: Engine) -> None:
    assert await engine.count("") == 0
    assert 0 < await engine.count("one two") < await engine.count("one two three four five")


async def test_a_prompt_beyond_the_window_is_refused(engine: Engine) -> None:
    prompt = await engine.render([Message("user", "word " * 3_000)])

    with pytest.raises(PromptTooLong):
        await engine.complete(prompt, schema=None, max_tokens=8, options=OPTIONS)


async def test_a_prompt_is_the_beginning_of_the_next_turns_prompt(token_engine: Engine) -> None:
    prompt = await token_engine.render(DIALOGUE)
    completion = await token_engine.complete(prompt, schema=None, max_tokens=16, options=OPTIONS)
    reply = Message("assistant", completion.text, completion.token_ids)

    longer = await token_engine.render([*DIALOGUE, reply, Message("user", "And of Spain?")])

    assert prompt.token_ids is not None
    assert longer.token_ids is not None
    assert completion.token_ids is not None
    extended = prompt.token_ids + completion.token_ids
    assert longer.token_ids[: len(extended)] == extended


async def test_a_reply_with_its_end_is_not_ended_twice(token_engine: Engine) -> None:
    prompt = await token_engine.render(DIALOGUE)
    ended = await token_engine.complete(prompt, schema=None, max_tokens=32, options=OPTIONS)
    assert ended.finish_reason == "stop"
    assert ended.token_ids is not None
    question = Message("user", "And of Spain?")

    with_end = await token_engine.render(
        [*DIALOGUE, Message("assistant", ended.text, ended.token_ids), question]
    )
    without_end = await token_engine.render(
        [*DIALOGUE, Message("assistant", ended.text, ended.token_ids[:-1]), question]
    )

    assert with_end.token_ids == without_end.token_ids


async def test_a_prefill_stands_right_behind_the_generation_prompt(token_engine: Engine) -> None:
    prompt = await token_engine.render(DIALOGUE)

    prefilled = await token_engine.render([*DIALOGUE, Message("assistant", "The capital of")])

    assert prompt.token_ids is not None
    assert prefilled.token_ids is not None
    assert prefilled.token_ids[: prompt.num_tokens] == prompt.token_ids
    assert prefilled.num_tokens - prompt.num_tokens == await token_engine.count("The capital of")


async def test_a_dialogue_behind_a_prefix_is_the_dialogue_itself(token_engine: Engine) -> None:
    prompt = await token_engine.render(DIALOGUE)
    completion = await token_engine.complete(prompt, schema=None, max_tokens=16, options=OPTIONS)
    assert prompt.token_ids is not None
    assert completion.token_ids is not None
    reply = Message("assistant", completion.text, completion.token_ids)
    question = Message("user", "And of Spain?")
    token_ids = prompt.token_ids + completion.token_ids

    behind = await token_engine.render([Message("prefix", "key", token_ids), question])

    assert behind.token_ids == (await token_engine.render([*DIALOGUE, reply, question])).token_ids
    assert (behind.token_ids or ())[: len(token_ids)] == token_ids
    await token_engine.complete(behind, schema=None, max_tokens=2, options=OPTIONS)


async def test_every_sampled_token_has_its_logprob(token_engine: Engine) -> None:
    prompt = await token_engine.render(DIALOGUE)

    completion = await token_engine.complete(prompt, schema=ANSWER, max_tokens=99, options=SAMPLED)

    assert completion.token_ids is not None
    assert completion.logprobs is not None
    assert len(completion.token_ids) == len(completion.logprobs) == completion.completion_tokens
    assert all(logprob <= 0 for logprob in completion.logprobs)


async def test_a_choice_scores_every_letter_in_one_call(token_engine: Engine) -> None:
    prompt = await token_engine.render(DIALOGUE)

    scores, completion = await token_engine.choose(
        prompt, {"answer": "A", "delegate": "B", "read": "C"}, OPTIONS
    )

    assert set(scores) == {"answer", "delegate", "read"}
    assert all(score < 0 for score in scores.values())
    assert completion.completion_tokens == 1
    assert completion.prompt_tokens == prompt.num_tokens


async def test_neighbours_of_one_role_and_a_missing_system_message_render(engine: Engine) -> None:
    joined = await engine.render([QUESTION, Message("user", "Say it in one word.")])

    assert joined.num_tokens > (await engine.render([QUESTION])).num_tokens


async def test_a_dialogue_without_a_question_is_refused(token_engine: Engine) -> None:
    with pytest.raises(EngineRefused):
        await token_engine.render([SYSTEM])


async def test_the_same_seed_samples_the_same_tokens(token_engine: Engine) -> None:
    options = CallOptions(salt="tests:seed", sampling=Sampling(temperature=1.0, seed=11))
    prompt = await token_engine.render(DIALOGUE)

    first = await token_engine.complete(prompt, schema=None, max_tokens=4, options=options)
    second = await token_engine.complete(prompt, schema=None, max_tokens=4, options=options)

    assert first.token_ids is not None
    assert second.token_ids is not None
    assert first.token_ids[:2] == second.token_ids[:2]
