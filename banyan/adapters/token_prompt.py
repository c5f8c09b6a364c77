"""Token prompts: what every adapter that sends token ids checks before it calls."""

from __future__ import annotations

from banyan.errors import AbilityMissing, PromptTooLong
from banyan.ports import Abilities, Prompt


def check_prompt(prompt: Prompt, abilities: Abilities) -> tuple[int, ...]:
    """The prompt's token ids. Raises AbilityMissing, and PromptTooLong as `check_size`."""
    if prompt.token_ids is None:
        raise AbilityMissing(f"{abilities.name} needs a prompt that it rendered itself")
    check_size(prompt, abilities)
    return prompt.token_ids


def check_size(prompt: Prompt, abilities: Abilities) -> None:
    """Raises PromptTooLong where no token of a reply would fit."""
    if prompt.num_tokens >= abilities.window:
        raise PromptTooLong(
            f"the prompt has {prompt.num_tokens} tokens, the window {abilities.window}"
        )
