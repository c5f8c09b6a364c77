"""Code lines: where definitions begin in the source code of common languages. Pure.

Rules of single lines, not a parser, so that any text is looked at in linear time: a definition
begins at its first decorator or comment, a block of the lowest indentation behind a blank line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_LINE = re.compile(r"\n(?P<indent>[ \t]{0,60}+)(?P<line>[^\s][^\r\n]{0,199}+)")
_WORDS = (
    r"(?:(?:export|default|public|private|protected|internal|static|final|abstract|async|pub"
    r"|unsafe|extern|inline|virtual|override|sealed|open|const|data)(?:\([a-z ]{1,20}\))?[ ]+)"
)
_DEFINITION = re.compile(
    rf"{_WORDS}{{0,4}}(?:def|class|func|fn|function|fun|struct|enum|interface|impl|trait|module"
    rf"|namespace|record|object|sub|proc)\b[ *(]*[\w$<(\[]"
    rf"|{_WORDS}{{1,4}}[\w$<>\[\],.?* ]{{0,80}}\("
    rf"|(?:export[ ]+)?(?:const|let|var)[ ]+[\w$]+[ ]*=[ ]*(?:async[ ]*)?(?:function\b|\()"
)
_LEAD = re.compile(r"@\w|#\[|//|/\*|\*[ /]|\*$|#(?!\w+[ ]*[<\"(])|--[ ]")
"""Decorators, attributes and comments, which belong to what stands below them."""
_CLOSES = re.compile(r"[})\]]|(?:end|else|elif|except|catch|finally|then|fi|done|esac)\b")
_TYPICAL = re.compile(
    r"(?:import|from|using|package|require|include|return|if|for|while|switch|match|try|with"
    r"|let|const|var|val|self|this|raise|throw|assert|yield|await|use)\b[ (.'\"]|#include|#define"
    r"|\w+:[ ][\w\[\]., |\"']+(?:[ ]=[ ].*|,)$"
    r"|.*(?:[;{}]|\)[ ]*:|=>|\belse:|\btry:)$|[\w.\[\]]+[ ]*[+\-*/|&:]?=[ ]?\S|[\w.]+\(.*\)$"
)
_FEWEST_LINES = 8
_FEWEST_DEFINITIONS = 2
_LEAST_SHARE_TYPICAL = 0.3


@dataclass(frozen=True, slots=True)
class Definition:
    """Where a definition or a block begins, and how far it is indented, in code points."""

    start: int
    indent: int


def definitions(text: str, low: int, high: int, context: int) -> Iterator[Definition]:
    """Definitions and blocks of the lowest indentation that begin in `[low, high]`, in order."""
    before, before_indent, before_end = "", 0, -1
    lead: Definition | None = None
    for match in _LINE.finditer(text, max(0, low - context), high + context):
        indent, line = len(match["indent"]), match["line"]
        follows_blank = before_end >= 0 and text.count("\n", before_end, match.start() + 1) > 1
        here = Definition(match.start() + 1, indent)
        if lead is not None and (follows_blank or lead.indent != indent):
            lead = None
        found: Definition | None = None
        if _CLOSES.match(line):
            lead = None
        elif _LEAD.match(line):
            is_free = follows_blank or before_indent > 0 or bool(_CLOSES.match(before))
            found = here if lead is None and indent == 0 and is_free else None
            lead = lead or here
        elif _DEFINITION.match(line):
            found, lead = lead or here, None
        else:
            is_block = indent == 0 and (follows_blank or _closes_block(before, before_indent))
            found, lead = (here if is_block and lead is None else None), None
        if found is not None and low <= found.start <= high:
            yield found
        before, before_indent, before_end = line, indent, match.end()


def _closes_block(line: str, indent: int) -> bool:
    return indent == 0 and line.startswith("}")


def is_code(text: str) -> bool:
    """Whether `text`, the beginning of a document, is source code."""
    if "\n```" in text:  # Markdown that shows code
        return False
    lines = [match["line"].rstrip() for match in _LINE.finditer(f"\n{text}")]
    code = [line for line in lines if not _LEAD.match(line)]
    num_definitions = sum(1 for line in code if _DEFINITION.match(line) or line in {"}", "};"})
    num_typical = sum(1 for line in code if _DEFINITION.match(line) or _TYPICAL.match(line))
    return (
        len(lines) >= _FEWEST_LINES
        and num_definitions >= _FEWEST_DEFINITIONS
        and num_typical >= _LEAST_SHARE_TYPICAL * len(code)
    )
