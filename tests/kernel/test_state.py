"""Packing is the identity on kernel models; unpacking refuses everything else."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, JsonValue

from banyan.errors import ForeignVersion, PackError
from banyan.limits import Limits
from banyan.node import Brief, Decision, Exchange, Failure, Node, Outcome, Passage
from banyan.spans import Span
from banyan.state import MAX_UNPACKED_BYTES, format_version, pack, unpack
from banyan.task import Gate, Task
from banyan.trajectory import TurnRecord
from tests.packed import as_version_1

HEADER_BYTES = 5

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
counts = st.integers(0, 2**40)
seconds = st.floats(0, 1e9)
scores = st.floats(allow_nan=False, allow_infinity=False)
tokens = st.lists(st.integers(0, 300_000), max_size=6).map(tuple)
json_values: st.SearchStrategy[JsonValue] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | scores | texts,
    lambda children: st.lists(children, max_size=4) | st.dictionaries(texts, children, max_size=4),
    max_leaves=12,
)
json_objects = st.dictionaries(texts, json_values, max_size=4)
spans = st.lists(
    st.builds(
        lambda document, start, length: Span(document=document, start=start, end=start + length),
        texts,
        counts,
        counts,
    ),
    max_size=3,
).map(tuple)
outcomes = st.builds(
    Outcome,
    status=st.sampled_from(["ok", "failed", "cancelled", "over_budget"]),
    answer=json_values,
    citations=spans,
    covered=spans,
    complete=st.booleans(),
    failure=st.none() | st.builds(Failure, code=texts, message=texts),
    critical_path_s=seconds,
    sequential_s=seconds,
)
passages = st.builds(Passage, text=texts, sources=spans, covered=spans)
exchanges = st.builds(
    Exchange, request=texts, reply=texts, token_ids=st.none() | tokens, observation=texts
)
nodes = st.builds(
    Node,
    path=texts,
    goal=texts,
    brief=st.builds(Brief, task_goal=texts, text=texts),
    inputs=spans,
    expects=st.none() | json_objects,
    answer_tokens=counts,
    tokens_per_char=st.none() | seconds,
    exchanges=st.lists(exchanges, max_size=2).map(tuple),
    notes=st.lists(texts, max_size=3).map(tuple),
    covered=spans,
    read_to=tokens,
    outcomes=st.lists(outcomes, max_size=2).map(tuple),
    seen=st.lists(passages, max_size=2).map(tuple),
    num_children=counts,
    incomplete=st.booleans(),
    own_s=seconds,
)
tasks = st.builds(
    Task,
    tenant=texts,
    goal=texts,
    inputs=spans,
    answer_schema=st.none() | json_objects,
    limits=st.builds(Limits, max_depth=st.integers(0, 32), deadline_s=st.floats(1, 86_400)),
    gate=st.builds(Gate, threshold=st.none() | scores),
    metadata=json_objects,
)
decisions = st.builds(
    Decision,
    kind=st.sampled_from(["answer", "delegate", "read"]),
    mode=st.sampled_from(["always", "threshold"]),
    forced=st.booleans(),
    score=st.none() | scores,
    logprobs=st.none() | st.dictionaries(texts, scores, max_size=3),
)
records = st.builds(
    TurnRecord,
    index=counts,
    generation=counts,
    decision=decisions,
    action=texts,
    prompt_text=texts,
    completion_text=texts,
    choice_prompt_token_ids=st.none() | tokens,
    prompt_token_ids=st.none() | tokens,
    completion_token_ids=st.none() | tokens,
    logprobs=st.none() | st.lists(scores, max_size=4).map(tuple),
    prompt_tokens=counts,
    completion_tokens=counts,
    cached_tokens=counts,
    policy_version=texts,
    engine=texts,
    temperature=seconds,
    grammar=st.booleans(),
    top_p=seconds,
    frequency_penalty=scores.map(lambda one: one + 0.0),  # its default is left out; so is -0.0
    seed=st.none() | counts,
    seconds=seconds,
)
models: st.SearchStrategy[BaseModel] = st.one_of(nodes, outcomes, tasks, records)

OUTCOME = Outcome(status="ok", answer="An answer of some length. " * 20)
OTHERS: dict[type[BaseModel], type[BaseModel]] = {
    Node: Outcome,
    Outcome: Task,
    Task: TurnRecord,
    TurnRecord: Node,
}


def packed_as_outcome(body: bytes) -> bytes:
    """A well-formed pack around any msgpack."""
    return pack(OUTCOME)[:HEADER_BYTES] + zstandard.ZstdCompressor().compress(body)


@given(models)
def test_unpacking_gives_back_what_was_packed(value: BaseModel) -> None:
    unpacked = unpack(pack(value), type(value))
    assert unpacked == value
    # Equality takes 1, 1.0 and True for the same; their JSON does not.
    assert unpacked.model_dump_json() == value.model_dump_json()


@given(models)
def test_packing_again_gives_the_same_bytes(value: BaseModel) -> None:
    assert pack(unpack(pack(value), type(value))) == pack(value)


@given(models)
def test_a_pack_is_refused_as_another_kind(value: BaseModel) -> None:
    with pytest.raises(PackError, match="another kind"):
        unpack(pack(value), OTHERS[type(value)])


@pytest.mark.parametrize("version", [0, format_version(Outcome) + 1, 255])
def test_another_version_is_refused_as_such(version: int) -> None:
    packed = bytearray(pack(OUTCOME))
    packed[HEADER_BYTES - 1] = version
    with pytest.raises(ForeignVersion, match=f"{version:02x}"):
        unpack(bytes(packed), Outcome)


@given(records)
def test_a_turn_that_an_older_release_packed_is_read(record: TurnRecord) -> None:
    assert unpack(as_version_1(record), TurnRecord) == record


@given(records)
def test_a_turn_of_a_newer_release_is_refused_as_such(record: TurnRecord) -> None:
    packed = bytearray(pack(record))
    packed[HEADER_BYTES - 1] = format_version(TurnRecord) + 1
    with pytest.raises(ForeignVersion, match="this is 02"):
        unpack(bytes(packed), TurnRecord)


@given(st.binary(max_size=200))
def test_foreign_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(PackError):
        unpack(data, Outcome)


@given(st.binary(max_size=200))
def test_foreign_bytes_behind_a_right_header_are_refused(data: bytes) -> None:
    with pytest.raises(PackError):
        unpack(pack(OUTCOME)[:HEADER_BYTES] + data, Outcome)


@given(st.integers(0, len(pack(OUTCOME)) - 1))
def test_a_pack_that_was_cut_off_is_refused(length: int) -> None:
    with pytest.raises(PackError):
        unpack(pack(OUTCOME)[:length], Outcome)


def refused_or_unpacked(packed: bytes) -> None:
    """No error but PackError, whatever the bytes are."""
    try:
        assert isinstance(unpack(packed, Outcome), Outcome)
    except PackError as error:
        assert str(error)  # noqa: PT017 - either way is right


@given(st.data(), outcomes)
def test_damage_is_an_outcome_or_a_pack_error(data: st.DataObject, outcome: Outcome) -> None:
    packed = bytearray(pack(outcome))
    for _ in range(data.draw(st.integers(1, 3))):
        packed[data.draw(st.integers(0, len(packed) - 1))] ^= data.draw(st.integers(1, 255))
    refused_or_unpacked(bytes(packed))


@given(json_values)
def test_any_other_content_is_an_outcome_or_a_pack_error(content: JsonValue) -> None:
    refused_or_unpacked(packed_as_outcome(msgspec.msgpack.encode(content)))


def test_unknown_fields_are_refused() -> None:
    body: dict[str, Any] = {**OUTCOME.model_dump(exclude_defaults=True), "bonus": 1}
    with pytest.raises(PackError, match="bonus"):
        unpack(packed_as_outcome(msgspec.msgpack.encode(body)), Outcome)


WORDS = "what a user wrote"


@pytest.mark.parametrize(
    "fields",
    [
        {"status": WORDS},
        {"citations": [{"document": WORDS, "start": WORDS, "end": 1}]},
        {"citations": [{"document": WORDS, "start": 9, "end": 1}]},
        {"answer": {WORDS: b"no JSON"}},
        {"failure": {WORDS: 1}},
    ],
    ids=["a value", "a value further in", "a check of ours", "a key", "an unknown key"],
)
def test_what_does_not_fit_is_told_without_a_word_of_it(fields: dict[str, Any]) -> None:
    body = {**OUTCOME.model_dump(exclude_defaults=True), **fields}
    with pytest.raises(PackError, match=f"damaged: {next(iter(fields))} [a-z_]+") as raised:
        unpack(packed_as_outcome(msgspec.msgpack.encode(body)), Outcome)
    assert WORDS not in str(raised.value)


def test_a_pack_that_is_no_object_is_told_without_a_word_of_it() -> None:
    with pytest.raises(PackError, match="damaged: model_type") as raised:
        unpack(packed_as_outcome(msgspec.msgpack.encode(WORDS)), Outcome)
    assert WORDS not in str(raised.value)


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    packer = zstandard.ZstdCompressor().compressobj(size=MAX_UNPACKED_BYTES + 1)
    megabyte = bytes(1 << 20)
    frames = [packer.compress(megabyte) for _ in range(MAX_UNPACKED_BYTES >> 20)]
    bomb = b"".join([*frames, packer.compress(b"\x00"), packer.flush()])
    assert len(bomb) < 100_000
    with pytest.raises(PackError, match=f"at most {MAX_UNPACKED_BYTES}"):
        unpack(pack(OUTCOME)[:HEADER_BYTES] + bomb, Outcome)


def test_a_bomb_that_hides_its_size_is_refused() -> None:
    hiding = zstandard.ZstdCompressor(write_content_size=False)
    with pytest.raises(PackError, match="-1 bytes"):
        unpack(pack(OUTCOME)[:HEADER_BYTES] + hiding.compress(bytes(1_000_000)), Outcome)


def test_a_bomb_that_lies_about_its_size_is_refused() -> None:
    """The frame says 1 byte, its block of zeros is larger."""
    honest = bytearray(zstandard.ZstdCompressor().compress(bytes(200)))
    position = honest.index(200)
    honest[position] = 1
    with pytest.raises(PackError, match="damaged"):
        unpack(pack(OUTCOME)[:HEADER_BYTES] + bytes(honest), Outcome)
