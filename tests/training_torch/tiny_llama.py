"""A tiny random Llama with a tokenizer, in a folder, made on the fly."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from transformers import AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM

from banyan.action import LETTERS
from training.scoring import score_tokens

NUM_WORDS = 64
LETTER_IDS: dict[str, int] = {kind: 3 + index for index, kind in enumerate(LETTERS)}


def write_model(folder: Path, *, seed: int = 0, num_words: int = NUM_WORDS) -> Path:
    """Two layers, 64 wide; tokens 3 to 8 are the letters of the kinds."""
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=num_words,
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=256,
        eos_token_id=1,
        pad_token_id=0,
        initializer_range=0.3,  # far from uniform, so that models differ
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    words = ["<pad>", "<end>", "<unknown>", *LETTERS.values()]
    words += [f"w{index}" for index in range(len(words), num_words)]
    vocabulary = {word: index for index, word in enumerate(words)}
    Tokenizer(WordLevel(vocabulary, unk_token=words[2])).save(str(folder / "tokenizer.json"))
    return folder


class Scorer:
    """A model as an engine is used: log-probabilities of what follows a prompt."""

    def __init__(self, model: Any) -> None:
        self._model = model.eval()

    @classmethod
    def of(cls, folder: Path) -> Scorer:
        return cls(AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32))

    def logprobs(self, prompt: Sequence[int], completion: Sequence[int]) -> list[float]:
        token_ids = torch.tensor([[*prompt, *completion]])
        with torch.no_grad():
            logits = self._model(input_ids=token_ids, use_cache=False).logits
        scored = slice(len(prompt) - 1, -1)
        found: list[float] = score_tokens(logits[:, scored], token_ids[:, len(prompt) :])[0][
            0
        ].tolist()
        return found

    def letters(self, prompt: Sequence[int], kinds: Sequence[str]) -> dict[str, float]:
        """Raw log-probabilities of the kinds' letters."""
        return {kind: self.logprobs(prompt, [LETTER_IDS[kind]])[0] for kind in kinds}
