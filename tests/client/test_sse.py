from __future__ import annotations

import pytest
from fastapi.sse import format_sse_event
from hypothesis import given
from hypothesis import strategies as st

from banyan.client.errors import ClientError
from banyan.client.results import SolveResult, StreamEvent
from banyan.client.sse import Parser

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))


def wire(event: StreamEvent) -> bytes:
    """As the service sends it."""
    return format_sse_event(
        event=event.type, id=str(event.seq), data_str=event.model_dump_json(exclude={"result"})
    )


def read(chunks: list[bytes]) -> list[StreamEvent]:
    parser = Parser()
    return [event for chunk in chunks for event in parser.feed(chunk)]


@given(texts=st.lists(TEXTS, max_size=5), cut=st.integers(1, 40), comments=st.booleans())
def test_events_are_the_same_however_the_bytes_are_cut(
    texts: list[str], cut: int, *, comments: bool
) -> None:
    sent = [
        StreamEvent(type="answer.delta", seq=index, at=1.5, data={"text": text})
        for index, text in enumerate(texts, 1)
    ]
    heartbeat = b": still here\n\n" if comments else b""
    body = heartbeat + b"".join(wire(event) + heartbeat for event in sent)

    assert read([body[start : start + cut] for start in range(0, len(body), cut)]) == sent


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("size", [1, 2, 3, 1_000])
def test_every_end_of_line_of_the_standard_is_understood(end: bytes, size: int) -> None:
    body = end.join([b": hi", b"event: x", b'data: {"type": "x",', b'data: "seq": 4}', b"", b""])
    body += b": more" + end
    [event] = read([body[start : start + size] for start in range(0, len(body), size)])

    assert (event.type, event.seq) == ("x", 4)


def test_the_last_event_brings_the_result() -> None:
    result = SolveResult(id="solve_1", status="completed", answer="So.", policy="base")
    body = format_sse_event(event="result", data_str=result.model_dump_json())

    assert [event.result for event in read([body])] == [result]


def test_pieces_make_up_the_answer_also_where_a_turn_ran_again() -> None:
    pieces = [(0, "By lea"), (6, "ves"), (0, "By "), (3, "roots.")]
    events = [StreamEvent(type="node.turn", seq=1, data={"text": "other"})]
    events += [
        StreamEvent(type="answer.delta", data={"offset": offset, "text": text})
        for offset, text in pieces
    ]
    answer = ""
    for event in events:
        answer = event.extend(answer)

    assert answer == "By roots."


def test_fields_of_a_newer_service_are_passed_over() -> None:
    [event] = read([b'event: x\ndata: {"type": "x", "seq": 1, "colour": "red"}\n\n'])

    assert event.seq == 1


@pytest.mark.parametrize("data", [b"nonsense", b"[]", b'{"seq": "x"}'])
def test_what_is_no_event_of_banyan_is_an_error(data: bytes) -> None:
    with pytest.raises(ClientError):
        read([b"event: x\ndata: " + data + b"\n\n"])
