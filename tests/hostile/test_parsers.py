"""Every parser, on everything: it reads, or it raises its own error, and nothing else happens."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any, get_args

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from banyan.action import Kind, parse, parse_plain
from banyan.adapters.destinations import Destinations
from banyan.adapters.intake import Decoder, Indexer
from banyan.client.errors import ClientError
from banyan.client.results import StreamEvent
from banyan.client.sse import Parser
from banyan.errors import (
    BanyanError,
    InvalidAction,
    InvalidDocument,
    InvalidInput,
    PackError,
    RefusedAddress,
)
from banyan.layouts import layout_of
from banyan.node import Brief, Node, Outcome
from banyan.partial_answer import AnswerStream, PlainStream, whole_sentences
from banyan.schemas import check_answer, check_expects
from banyan.state import pack, unpack
from banyan.task import Task
from banyan.trajectory import TurnRecord
from banyan.words import sought
from service import answer_schema, cursors
from service.facade.conversation import ask_of, said
from service.preferences import parse_prefer, wants_events
from service.settings import ServiceSettings
from service.streaming import parse_last_event_id
from tests.hostile.corpus import NASTY, SIZES, TEXTS, VALUES, cut

MODELS = (Node, Outcome, Task, TurnRecord)
PACKED = [
    pack(Task(tenant="acme", goal="Why?")),
    pack(Node(path="0", goal="Why?", brief=Brief(task_goal="Why?"))),
    pack(Outcome(status="ok", answer={"n": 3})),
]


def as_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=True)


@given(text=TEXTS | VALUES.map(as_json), kind=st.sampled_from([None, *get_args(Kind)]))
def test_a_reply_is_an_action_or_an_invalid_one(text: str, kind: Kind | None) -> None:
    with suppress(InvalidAction):
        action = parse(text, kind)
        assert kind is None or action.kind == kind
        assert parse(action.model_dump_json()) == action


@given(text=TEXTS)
def test_a_plain_reply_is_an_answer_or_an_invalid_action(text: str) -> None:
    with suppress(InvalidAction):
        assert parse_plain(text).answer == text.strip()


@given(text=TEXTS, sizes=SIZES)
@example(text='{"answer": "a\\ud83d\\ude00b', sizes=[15, 3])
def test_an_answer_is_the_same_in_whichever_pieces_it_comes(text: str, sizes: list[int]) -> None:
    """What has not closed may have more in the end; nothing that was sent is taken back."""
    for make in (AnswerStream, PlainStream):
        whole, pieces, at, joined = make(), make(), 0, ""
        for size in [*sizes, len(text)]:
            joined += pieces.feed(text[at : at + size])
            at += size
        assert joined == whole.feed(text)
    assert text.startswith(whole_sentences(text))


@given(packed=st.binary(max_size=200), model=st.sampled_from(MODELS))
def test_foreign_bytes_are_no_packed_state(packed: bytes, model: type[Any]) -> None:
    with pytest.raises(BanyanError):
        unpack(packed, model)


@given(
    packed=st.sampled_from(PACKED),
    model=st.sampled_from(MODELS),
    at=st.integers(0, 200),
    byte=st.integers(0, 255),
    length=st.integers(0, 200),
)
def test_damaged_packed_state_is_refused_or_is_one(
    packed: bytes, model: type[Any], at: int, byte: int, length: int
) -> None:
    at %= len(packed)
    damaged = packed[:at] + bytes([byte]) + packed[at + 1 :]
    for data in (damaged, packed[:length] + damaged[length + 1 :], packed + packed):
        with suppress(PackError):
            assert isinstance(unpack(data, model), model)


@given(data=st.binary(max_size=80) | TEXTS.map(lambda t: t.encode(errors="ignore")), sizes=SIZES)
def test_bytes_are_the_same_document_in_whichever_pieces_they_come(
    data: bytes, sizes: list[int]
) -> None:
    def read(pieces: list[bytes]) -> tuple[str, str]:
        decoder, indexer = Decoder(100), Indexer()
        text = "".join(decoder.feed(piece) for piece in pieces) + decoder.feed(b"", final=True)
        indexer.feed(text)
        return text, indexer.content_sha256

    try:
        whole = read([data])
    except InvalidDocument:
        with pytest.raises(InvalidDocument):
            read(cut(data, sizes))
    else:
        assert read(cut(data, sizes)) == whole
        assert "\0" not in whole[0]


@given(schema=st.dictionaries(TEXTS, VALUES, max_size=4) | VALUES, value=VALUES)
def test_a_schema_is_refused_or_can_be_checked_against(schema: Any, value: Any) -> None:
    if not isinstance(schema, dict):
        schema = {"type": "object", "properties": {"a": schema}}
    with suppress(InvalidInput):
        answer_schema.check({"type": "object", **schema})
        with suppress(InvalidAction):
            check_answer(value, schema)
    with suppress(InvalidAction):
        check_expects(schema, merges=True)


@given(
    url=TEXTS
    | st.from_regex(r"https?://[\[\]a-f0-9:.%@\\/?#]{0,30}", fullmatch=True)
    | st.sampled_from(["https://[::1", "https://[v1.x]/", "https://a:b@c/", "https://a:99999/"]),
    address=st.ip_addresses().map(str) | st.sampled_from(["fe80::1%eth0", "::ffff:10.0.0.1"]),
)
async def test_a_url_is_refused_or_leads_to_where_everyone_may_go(url: str, address: str) -> None:
    async def resolve(host: str, port: int) -> list[str]:
        assert host
        assert 0 < port < 65_536
        return [address]

    with suppress(RefusedAddress):
        [found] = await Destinations(resolve=resolve).check(url)
        assert url.lower().startswith("https://")
        assert not found.startswith(("10.", "127.", "192.168.", "169.254.", "fe80", "fc", "fd"))


@given(texts=st.lists(st.tuples(st.sampled_from(["user", "system", "x"]), TEXTS), max_size=4))
def test_a_conversation_is_an_ask_or_refused(texts: list[tuple[str, str]]) -> None:
    """Texts are long enough that what is fenced is lifted out."""
    turns = [said(role, [text, "word " * 500, text]) for role, text in texts]
    with suppress(InvalidInput):
        ask = ask_of(turns)
        assert ask.goal
        assert all(document.text for document in ask.documents)


@given(text=TEXTS)
def test_text_has_a_layout_and_words_whatever_it_is(text: str) -> None:
    layout_of(text)
    words, more = sought(text)
    assert all(words)
    assert more >= 0


@given(header=TEXTS)
def test_headers_and_cursors_are_read_or_refused(header: str) -> None:
    settings = ServiceSettings()
    with suppress(BanyanError):
        preference = parse_prefer(header, default_s=1.0, settings=settings)
        assert 0 <= preference.wait_s <= settings.max_wait_s
    with suppress(BanyanError):
        assert parse_last_event_id(header) >= 0
    for form in (cursors.LIST_PLACE, cursors.OFFSET):
        with suppress(BanyanError):
            assert form.fullmatch(cursors.decode(header, form))
    assert wants_events(header) in {True, False}


@given(
    data=st.binary(max_size=60)
    | VALUES.map(lambda value: f"event: x\r\ndata: {as_json(value)}\n\n".encode())
    | st.sampled_from([f"data: {text}\n\n".encode(errors="ignore") for text in NASTY]),
    sizes=SIZES,
)
def test_a_stream_gives_the_same_events_in_whichever_pieces_it_comes(
    data: bytes, sizes: list[int]
) -> None:
    def read(pieces: list[bytes]) -> list[StreamEvent] | None:
        parser = Parser()
        try:
            return [event for piece in pieces for event in parser.feed(piece)]
        except ClientError:
            return None

    assert read(cut(data, sizes)) == read([data])
