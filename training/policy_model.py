"""Policy model: a causal language model and the gate's threshold, as one module. Needs torch.

Its forward pass scores what counts and nothing else: the output head, which is most of the memory
of a small model with a large vocabulary, sees only the positions of tokens and choices that count.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from training.batches import ModelInput
from training.critic import ValueHead
from training.gate_loss import decision_entropies, decision_logprobs
from training.logged_rows import KINDS
from training.scoring import score_tokens
from training.shared_prefixes import can_join, joined

DELEGATE = KINDS.index("delegate")


class Scores(NamedTuple):
    """In nats; X is tokens (T - 1) and then choices (D), zeros where nothing counts."""

    logprobs_BX: Tensor
    entropies_BX: Tensor
    mask_BX: Tensor
    sampled_logprobs_BX: Tensor
    """Without gradient and with a threshold of 0, as the gate mode `sampled` draws."""
    values_BX: Tensor | None
    """What the value head expects before each token and choice, where there is one."""


class PolicyModel(nn.Module):
    """`letter_ids` are the tokens of the kinds' letters, in the order of `KINDS`."""

    letter_ids_K: Tensor

    def __init__(
        self,
        lm: Any,
        letter_ids: Sequence[int],
        threshold: float,
        value_head: ValueHead | None = None,
    ) -> None:
        super().__init__()
        self.lm = lm
        self.value_head = value_head
        self.threshold = nn.Parameter(torch.tensor(threshold, dtype=torch.float32))
        self.register_buffer(
            "letter_ids_K", torch.tensor(letter_ids, dtype=torch.long), persistent=False
        )
        self.has_plain_head = _has_plain_head(lm)
        """Whether logits are the head's output and nothing is done to them after."""
        self.can_join = can_join(_without_adapter_shell(lm))
        """Whether rows that begin alike are computed together."""

    def forward(self, batch: ModelInput, *, entropy_gradient: bool = False) -> Scores:
        """Scores of all that counts in a batch."""
        token_b, token_t = batch.mask_BT.nonzero(as_tuple=True)
        choice_b, choice_d = batch.choice_mask_BD.nonzero(as_tuple=True)
        positions = batch.choice_positions_BD[choice_b, choice_d]
        logits_SV, values_S = self._predicted(
            batch, torch.cat([token_b, choice_b]), torch.cat([token_t, positions])
        )
        token_logprobs, token_entropies = score_tokens(
            logits_SV[: len(token_b)],
            batch.token_ids_BT[token_b, token_t + 1],
            entropy_gradient=entropy_gradient,
        )
        kinds = logits_SV[len(token_b) :].float().log_softmax(dim=-1)[:, self.letter_ids_K]
        allowed = batch.choice_kinds_BDK[choice_b, choice_d]
        taken = batch.choice_taken_BD[choice_b, choice_d]
        choice_logprobs = decision_logprobs(kinds, allowed, taken, self.threshold, DELEGATE)
        with torch.set_grad_enabled(torch.is_grad_enabled() and entropy_gradient):
            choice_entropies = decision_entropies(kinds, allowed, self.threshold, DELEGATE)
        with torch.no_grad():
            zero = torch.zeros_like(self.threshold)
            sampled = decision_logprobs(kinds, allowed, taken, zero, DELEGATE)

        mask_BX = torch.cat([batch.mask_BT, batch.choice_mask_BD], dim=1)
        rows = torch.cat([token_b, choice_b])
        columns = torch.cat([token_t, choice_d + batch.mask_BT.shape[1]])

        def placed(*parts: Tensor) -> Tensor:
            values = torch.cat(parts)
            empty = torch.zeros(mask_BX.shape, dtype=values.dtype, device=values.device)
            return empty.index_put((rows, columns), values)

        return Scores(
            logprobs_BX=placed(token_logprobs, choice_logprobs),
            entropies_BX=placed(token_entropies, choice_entropies),
            mask_BX=mask_BX,
            sampled_logprobs_BX=placed(token_logprobs.detach(), sampled),
            values_BX=None if values_S is None else placed(values_S),
        )

    def _predicted(
        self, batch: ModelInput, rows_S: Tensor, positions_S: Tensor
    ) -> tuple[Tensor, Tensor | None]:
        """Behind each of the positions: Float[S, V] logits, and Float[S] values with a head."""
        inputs = {
            "input_ids": batch.token_ids_BT,
            "attention_mask": batch.attention_BT,
            "use_cache": False,
        }
        if not self.has_plain_head:
            output = self.lm(**inputs, output_hidden_states=self.value_head is not None)
            logits_SV: Tensor = output.logits[rows_S, positions_S]
            if self.value_head is None:
                return logits_SV, None
            return logits_SV, self._values(output.hidden_states[-1][rows_S, positions_S])
        lm = _without_adapter_shell(self.lm)
        together = joined(batch.token_ids_BT, batch.attention_BT) if self.can_join else None
        if together is None:
            hidden_SH = lm.get_decoder()(**inputs).last_hidden_state[rows_S, positions_S]
        else:
            output = lm.get_decoder()(
                input_ids=together.token_ids_1N,
                position_ids=together.positions_1N,
                attention_mask=together.sees_11NN,
                use_cache=False,
            )
            hidden_SH = output.last_hidden_state[0, together.place_BT[rows_S, positions_S]]
        return lm.get_output_embeddings()(hidden_SH), self._values(hidden_SH)

    def _values(self, hidden_SH: Tensor) -> Tensor | None:
        """Float[S]. The head learns from the policy's states, and does not change them."""
        if self.value_head is None:
            return None
        values_S: Tensor = self.value_head(hidden_SH.detach().float())
        return values_S


def _without_adapter_shell(lm: Any) -> Any:
    """The model inside of peft's; its layers have the adapter in them."""
    return lm.get_base_model() if hasattr(lm, "get_base_model") else lm


def _has_plain_head(lm: Any) -> bool:
    """Some models cap or scale their logits: then the whole of their own forward pass is needed."""
    inner = _without_adapter_shell(lm)
    token_ids_BT = torch.arange(1, 5, device=inner.get_input_embeddings().weight.device)[None]
    with torch.no_grad():
        own = inner(input_ids=token_ids_BT, use_cache=False).logits
        hidden = inner.get_decoder()(input_ids=token_ids_BT, use_cache=False).last_hidden_state
        return bool(torch.equal(own, inner.get_output_embeddings()(hidden)))
