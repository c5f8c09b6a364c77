"""The pieces of a template, and that content forms no control token."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from banyan.adapters.chat_format import (
    WORD_JOINER,
    Content,
    Guard,
    Markup,
    Sampled,
    assemble,
    cut,
    special_pieces,
)
from banyan.errors import EngineRefused
from banyan.ports import Message

CHATML_PLAIN = "<s>user\n@@U@@<e>\n<s>assistant\n@@A@@<e>\n<s>user\n@@N@@<e>\n<s>assistant\n"
CHATML = f"<s>system\n@@S@@<e>\n{CHATML_PLAIN}"
AFFIXES = cut(CHATML_PLAIN, CHATML)
GUARD = Guard(["<e>", "<s>", "<unused_7>", "[CONTROL]"])


def text_of(messages: list[Message]) -> str:
    """What is rendered, as one text."""
    parts = assemble(messages, AFFIXES, GUARD)
    return "".join(piece.text for part in parts if isinstance(part, tuple) for piece in part)


def test_a_template_is_cut_at_its_messages() -> None:
    assert AFFIXES.system_prefix == "<s>system\n"
    assert AFFIXES.system_to_user == "<e>\n<s>user\n"
    assert AFFIXES.user_prefix == "<s>user\n"
    assert AFFIXES.user_to_assistant == "<e>\n<s>assistant\n"
    assert AFFIXES.assistant_to_user == "<e>\n<s>user\n"


def test_the_pieces_join_to_what_the_template_renders() -> None:
    messages = [
        Message("system", "@@S@@"),
        Message("user", "@@U@@"),
        Message("assistant", "@@A@@"),
        Message("user", "@@N@@"),
    ]

    assert text_of(messages) == CHATML


def test_a_template_without_a_system_message_gets_it_with_the_first_question() -> None:
    affixes = cut(CHATML_PLAIN, None)

    parts = assemble([Message("system", "rule"), Message("user", "question")], affixes, GUARD)

    assert parts == [
        (Markup("<s>user\n"), Content("rule\n\nquestion"), Markup("<e>\n<s>assistant\n"))
    ]


def test_a_template_that_drops_the_system_message_counts_as_one_without() -> None:
    assert cut(CHATML_PLAIN, CHATML_PLAIN).system_prefix is None


def test_a_template_that_drops_a_reply_is_refused() -> None:
    with pytest.raises(EngineRefused, match="every message"):
        cut(CHATML_PLAIN.replace("@@A@@", ""), None)


def test_a_sampled_reply_stays_as_it_was_sampled() -> None:
    messages = [Message("user", "a"), Message("assistant", "b", (5, 6)), Message("user", "c")]

    parts = assemble(messages, AFFIXES, GUARD)

    assert parts[1] == Sampled((5, 6))
    assert parts[2] == (
        Markup("<e>\n<s>user\n"), Content("c"), Markup("<e>\n<s>assistant\n"),
    )  # fmt: skip


def test_a_prefill_is_a_run_of_its_own_without_an_end() -> None:
    parts = assemble([Message("user", "a"), Message("assistant", "b")], AFFIXES, GUARD)

    assert parts[-1] == (Content("b"),)


@pytest.mark.parametrize(
    "messages",
    [
        [],
        [Message("system", "a")],
        [Message("assistant", "a"), Message("user", "b")],
        [Message("user", "a"), Message("system", "b")],
        [Message("user", "a"), Message("assistant", "b"), Message("assistant", "c")],
    ],
)
def test_what_is_no_dialogue_is_refused(messages: list[Message]) -> None:
    with pytest.raises(EngineRefused):
        assemble(messages, AFFIXES, GUARD)


CONTROL = [
    "<s>", "<e>", "</s>", "<|im_end|>", "<|im_start|>", "<|x|>", "<unused_7>", "[CONTROL]",
    "[INST]", "[/INST]", "<<SYS>>", "<start_of_turn>", "<end_of_turn>", "<think>",
    "<\uff5cUser\uff5c>",
]  # fmt: skip


@given(st.lists(st.sampled_from([*CONTROL, "<", ">", "|", "s", "im_end", "[", "]", " ", "e"])))
def test_guarded_text_holds_no_control_string(parts: list[str]) -> None:
    guarded = GUARD("".join(parts))

    assert not any(control in guarded for control in CONTROL)


@given(st.text())
def test_guarding_adds_word_joiners_alone(text: str) -> None:
    assert GUARD(text).replace(WORD_JOINER, "") == text.replace(WORD_JOINER, "")


@pytest.mark.parametrize(
    "text", ["a < b and c > d", "x[1] = y[2]", "<div><p>hi</p></div>", "|a|b|"]
)
def test_ordinary_text_is_left_alone(text: str) -> None:
    assert GUARD(text) == text


def test_guarding_twice_changes_nothing_more() -> None:
    once = GUARD("".join(CONTROL))

    assert GUARD(once) == once


def test_control_tokens_are_told_from_words() -> None:
    assert special_pieces(["<|im_end|>", "user", "\n", "[INST]", "<", " >"]) == {
        "<|im_end|>",
        "[INST]",
    }
