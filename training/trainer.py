"""Trainer: rows in, trained weights out. The loop of one update. Needs torch.

Each step takes the rows that the plan names, in micro-batches of like length, on any number of
processes (accelerate's launchers); its loss is over all of their tokens. After any kill it goes on
from the last checkpoint as if nothing had happened.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor

from training.batches import Batch, batch_of
from training.checkpoints import Checkpoints, Position
from training.critic import CriticSettings, token_advantages, value_loss
from training.errors import NotFinite
from training.figures import StepFigures, StepSums
from training.loss import LossSettings, TokenBatch, policy_loss
from training.plan import micro_batches, steps_of
from training.policy_model import PolicyModel, Scores
from training.training_rows import TrainingRow
from training.update_errors import WrongModel


@dataclass(frozen=True, slots=True)
class TrainerSettings:
    """`step_rows` rows make a step; `micro_tokens` padded ones are computed at a time.

    `threshold_lr` is tau's own learning rate (nats a step, about). `max_gap` (nats a token) is what
    model and log may differ by at the first step.
    """

    loss: LossSettings = field(default_factory=LossSettings)
    lr: float = 1e-5
    threshold_lr: float = 0.01
    weight_decay: float = 0.0
    max_grad_norm: float = 1.0
    epochs: int = 1
    step_rows: int = 64
    micro_tokens: int = 8192
    seed: int = 0
    save_every: int = 20
    max_gap: float = 1.0
    bf16: bool = False
    critic: CriticSettings | None = None
    """Advantages of single tokens from the model's value head; None: one a node, from its group."""


class Trainer:
    """One run over `rows`, which the policy at `policy_index` is trained on."""

    def __init__(
        self,
        model: PolicyModel,
        rows: Sequence[TrainingRow],
        settings: TrainerSettings,
        *,
        policy_index: int,
        accelerator: Accelerator | None = None,
    ) -> None:
        self._settings = settings
        self._accelerator = Accelerator() if accelerator is None else accelerator
        self._policy_index = policy_index
        self._rows = list(rows)
        self._policy = model
        weights = [value for value in model.lm.parameters() if value.requires_grad]
        optimizer = torch.optim.AdamW(
            [
                {"params": weights, "lr": settings.lr, "weight_decay": settings.weight_decay},
                {"params": [model.threshold], "lr": settings.threshold_lr, "weight_decay": 0.0},
                *_of_critic(model, settings.critic),
            ]
        )
        self._model, self._optimizer = self._accelerator.prepare(model, optimizer)

    @property
    def num_steps(self) -> int:
        """Of the whole run."""
        return self._settings.epochs * -(-len(self._rows) // self._settings.step_rows)

    @property
    def is_main(self) -> bool:
        """Whether this process is the one that writes."""
        return bool(self._accelerator.is_main_process)

    @property
    def model(self) -> PolicyModel:
        """The trained model, out of what wraps it."""
        found: PolicyModel = self._accelerator.unwrap_model(self._model)
        return found

    def weights(self) -> dict[str, Tensor]:
        """The whole model's, gathered from all processes, on the main one."""
        found: dict[str, Tensor] = self._accelerator.get_state_dict(self._model)
        return found

    def score_base(self) -> None:
        """Score the rows under the base, for the KL figure and penalty; before any step.

        The base is the model without its adapter, or as it was loaded.
        """
        lm: Any = self._policy.lm
        scored: dict[int, tuple[float, ...]] = {}
        without = lm.disable_adapter() if hasattr(lm, "disable_adapter") else None
        with without or contextlib.nullcontext(), torch.no_grad():
            for rows, _ in micro_batches(
                self._rows,
                max_padded_tokens=self._settings.micro_tokens,
                process=0,
                num_processes=1,
            ):
                scores = self._score(batch_of(rows, self._policy_index).to(self._device))
                for row, logprobs, mask in zip(
                    rows, scores.logprobs_BX, scores.mask_BX, strict=True
                ):
                    scored[id(row)] = tuple(logprobs[mask > 0].tolist())
        self._rows = [replace(row, base_logprobs=scored[id(row)]) for row in self._rows]

    def train(
        self,
        report: Callable[[StepFigures], None],
        checkpoints: Checkpoints | None = None,
        *,
        resumed: Position | None = None,
    ) -> Position:
        """All steps that are left; where it ended.

        Raises NotFinite and WrongModel; the step that raised it has changed nothing.
        """
        settings, done, step = self._settings, resumed, 0
        for epoch in range(settings.epochs):
            for indices in steps_of(
                [row.prompt for row in self._rows],
                step_rows=settings.step_rows,
                epoch=epoch,
                seed=settings.seed,
            ):
                step += 1
                if resumed is not None and step <= resumed.step:
                    continue
                figures, gap = self._step(step, epoch, [self._rows[index] for index in indices])
                done = Position(
                    step=step,
                    first_loss=done.first_loss if done else figures.loss,
                    last_loss=figures.loss,
                    engine_gap=done.engine_gap if done else gap,
                )
                report(figures)
                if checkpoints and (step % settings.save_every == 0 or step == self.num_steps):
                    checkpoints.save(done, self._model, self._optimizer, is_main=self.is_main)
        if done is None:
            raise ValueError("there is nothing to train on")
        return done

    def resume(self, checkpoints: Checkpoints) -> Position | None:
        """Take up the newest checkpoint; None where there is none. Raises OtherRun."""
        path = checkpoints.latest()
        if path is None:
            return None
        return checkpoints.load(path, self._model, self._optimizer)

    def _step(
        self, step: int, epoch: int, rows: Sequence[TrainingRow]
    ) -> tuple[StepFigures, float | None]:
        """One step, and the gap between trainer and engine at its beginning."""
        settings, began = self._settings, time.perf_counter()
        processes = int(self._accelerator.num_processes)
        batches = micro_batches(
            rows,
            max_padded_tokens=settings.micro_tokens,
            process=int(self._accelerator.process_index),
            num_processes=processes,
        )
        num_tokens = sum(row.num_trained for row in rows)
        sums = StepSums()
        for index, (part, counts) in enumerate(batches):
            is_last = index == len(batches) - 1
            wait = contextlib.nullcontext() if is_last else self._accelerator.no_sync(self._model)
            with wait:
                batch = batch_of(part, self._policy_index).to(self._device)
                scores = self._score(batch)
                of_values, advantages_BX = self._criticised(batch, scores, num_tokens)
                loss, figures = policy_loss(
                    _for_loss(batch, scores, advantages_BX), settings.loss, num_tokens
                )
                if of_values is not None:
                    loss = loss + of_values
                # Processes average their gradients; the loss is over the tokens of them all.
                self._accelerator.backward(loss * (processes if counts else 0))
            if counts:
                value = 0.0 if of_values is None else of_values.item()
                sums.add(figures, value, *_engine_gap(batch, scores))
        sums.values = self._sum_over_processes(sums.values)
        if step == 1 and sums.engine_gap is not None:
            self._check_gap(sums.engine_gap)
        norm = self._clip()
        self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)
        return sums.figures(
            step=step,
            epoch=epoch,
            has_kl=self._rows[0].base_logprobs is not None,
            has_critic=settings.critic is not None,
            gradient_norm=norm,
            threshold=float(self._policy.threshold.detach()),
            seconds=time.perf_counter() - began,
        ), sums.engine_gap

    def _criticised(
        self, batch: Batch, scores: Scores, num_tokens: int
    ) -> tuple[Tensor | None, Tensor]:
        """The values' weighed loss and the advantages that they give; or None and the log's."""
        critic, values_BX = self._settings.critic, scores.values_BX
        if critic is None or values_BX is None:
            return None, batch.advantages_BX
        advantages_BX, returns_BX = token_advantages(
            values_BX,
            batch.rewards_BX,
            scores.mask_BX,
            num_tokens=batch.input.mask_BT.shape[1],
            is_last_B=batch.is_last_B,
            gae_lambda=critic.gae_lambda,
        )
        loss = value_loss(values_BX, returns_BX, scores.mask_BX, num_tokens)
        return critic.value_weight * loss, advantages_BX * batch.weights_BX

    def _score(self, batch: Batch) -> Scores:
        kind = self._device.type
        with torch.autocast(kind, dtype=torch.bfloat16, enabled=self._settings.bf16):
            scores: Scores = self._model(
                batch.input, entropy_gradient=self._settings.loss.entropy_weight > 0
            )
        return scores

    def _clip(self) -> float:
        """Clip the gradient and return its norm before. Raises NotFinite."""
        trained = [value for value in self._model.parameters() if value.requires_grad]
        norm = float(self._accelerator.clip_grad_norm_(trained, self._settings.max_grad_norm))
        if not math.isfinite(norm):
            self._optimizer.zero_grad(set_to_none=True)
            raise NotFinite(f"the gradient's norm is {norm}")
        return norm

    def _check_gap(self, gap: float) -> None:
        if gap > self._settings.max_gap:
            raise WrongModel(
                f"model and log differ by {gap:.3f} nats a token, "
                f"{self._settings.max_gap} are allowed"
            )

    def _sum_over_processes(self, values: Sequence[float]) -> list[float]:
        if self._accelerator.num_processes == 1:
            return list(values)
        mine = torch.tensor(values, dtype=torch.float64, device=self._device)
        total: Tensor = self._accelerator.reduce(mine, reduction="sum")
        return [float(value) for value in total.tolist()]

    @property
    def _device(self) -> torch.device:
        device: torch.device = self._accelerator.device
        return device


def _of_critic(model: PolicyModel, critic: CriticSettings | None) -> list[dict[str, Any]]:
    """The optimizer's part for the value head. Raises ValueError for a model without one."""
    if critic is None:
        return []
    if model.value_head is None:
        raise ValueError("a critic needs a model with a value head")
    parameters = list(model.value_head.parameters())
    return [{"params": parameters, "lr": critic.lr, "weight_decay": 0.0}]


def _for_loss(batch: Batch, scores: Scores, advantages_BX: Tensor) -> TokenBatch:
    return TokenBatch(
        logprobs_BT=scores.logprobs_BX,
        behaviour_logprobs_BT=batch.behaviour_logprobs_BX,
        mask_BT=scores.mask_BX,
        advantages=advantages_BX,
        weights_B=torch.ones_like(batch.staleness_B, dtype=torch.float32),
        staleness_B=batch.staleness_B,
        entropies_BT=scores.entropies_BX,
        base_logprobs_BT=batch.base_logprobs_BX,
    )


def _engine_gap(batch: Batch, scores: Scores) -> tuple[float, int]:
    """Sum of |trainer - engine| over tokens and choices, and how many these are.

    Of rows that are not stale: others differ since the version does. Choices are compared without
    the threshold, as they were drawn.
    """
    live_BX = (scores.mask_BX > 0) & (batch.staleness_B == 0)[:, None]
    apart_BX = (scores.sampled_logprobs_BX - batch.behaviour_logprobs_BX).abs()
    return float(apart_BX[live_BX].sum()), int(live_BX.sum())
