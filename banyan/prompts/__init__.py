"""Prompts: every word that a model reads, in one place. Pure: node and what it sees to messages.

Document text stands in numbered passages inside `<document>` delimiters, results of children
inside `<results>`; `banyan.documents.quote` keeps both from closing them. Passages are numbered
through the whole prompt, so that a citation is one number.
"""

from __future__ import annotations

from banyan.prompts.rendering import AFTER_PREFIX, AFTER_VECTORS, SYSTEM, dialogue
from banyan.prompts.requests import EXAMPLE_GOAL, NO_POLICIES, request
from banyan.prompts.view import (
    DocumentView,
    View,
    as_text,
    numbered,
    numbered_context,
    passages_of,
    previews,
)

PROMPT_VERSION = 10
"""Raised with every change of a word; tests/kernel/test_prompts.py pins them to the letter."""

__all__ = [
    "AFTER_PREFIX",
    "AFTER_VECTORS",
    "EXAMPLE_GOAL",
    "NO_POLICIES",
    "PROMPT_VERSION",
    "SYSTEM",
    "DocumentView",
    "View",
    "as_text",
    "dialogue",
    "numbered",
    "numbered_context",
    "passages_of",
    "previews",
    "request",
]
