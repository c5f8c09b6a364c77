"""`banyan-train update`: one update of the policy, from logged trees to a version to publish."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from banyan.client.exits import Exit
from banyan.client.messages import print_error
from banyan.errors import BanyanError
from banyan.local import training_env
from banyan.local.errors import LocalError
from training.telling import fields_of


def update(
    log: Annotated[Path, typer.Argument(metavar="DIR", help="The log, or one file of trees.")],
    *,
    model: Annotated[Path, typer.Option(help="The base model, as transformers writes it.")],
    out: Annotated[Path, typer.Option(help="The version's directory, which is made.")],
    parent: Annotated[
        str, typer.Option(help="The version that is trained; staleness counts from it.")
    ] = "base",
    policy: Annotated[str, typer.Option(help="The policy that this is a version of.")] = "base",
    base: Annotated[
        str | None, typer.Option(help="The base model's name on engines; default: its folder's.")
    ] = None,
    adapter: Annotated[
        Path | None, typer.Option(help="The parent's adapter, to be trained further.")
    ] = None,
    weights: Annotated[
        Path | None, typer.Option(help="The parent's full weights, to be trained further.")
    ] = None,
    lora: Annotated[int, typer.Option(min=1, help="Rank of the adapter that is trained.")] = 16,
    full: Annotated[bool, typer.Option("--full", help="Train all weights instead.")] = False,
    dtype: Annotated[Literal["fp32", "bf16"], typer.Option(help="What is computed in.")] = "fp32",
    gradient_checkpointing: Annotated[
        bool, typer.Option("--gradient-checkpointing", help="Less memory, a third more time.")
    ] = False,
    loss: Annotated[Literal["cispo", "ppo", "a2c"], typer.Option()] = "cispo",
    lambda_: Annotated[
        float, typer.Option("--lambda", min=0.0, help="Weight of the children's mean success.")
    ] = 0.0,
    baseline: Annotated[Literal["root", "success"], typer.Option()] = "root",
    max_staleness: Annotated[int, typer.Option(min=0, help="Versions behind that train.")] = 2,
    max_tokens: Annotated[int, typer.Option(min=1, help="Longest row, in tokens.")] = 8192,
    lr: Annotated[float, typer.Option(min=0.0)] = 1e-5,
    threshold: Annotated[float, typer.Option(help="tau at the beginning, in nats.")] = 0.0,
    threshold_lr: Annotated[float, typer.Option(min=0.0, help="The learning rate of tau.")] = 0.01,
    entropy: Annotated[float, typer.Option(min=0.0, help="Weight of the entropy bonus.")] = 0.0,
    kl: Annotated[
        float | None, typer.Option(min=0.0, help="Weight of KL to the base; 0: report it alone.")
    ] = None,
    critic: Annotated[
        bool, typer.Option("--critic", help="Advantages of tokens, from a value head by GAE.")
    ] = False,
    value_head: Annotated[
        Path | None, typer.Option(help="With --critic: the head of an update before, OUT.run's.")
    ] = None,
    gae_lambda: Annotated[float, typer.Option(min=0.0, max=1.0, help="With --critic.")] = 0.95,
    value_lr: Annotated[
        float, typer.Option(min=0.0, help="With --critic: the head's own learning rate.")
    ] = 1e-3,
    epochs: Annotated[int, typer.Option(min=1)] = 1,
    step_rows: Annotated[int, typer.Option(min=1, help="Rows of one optimizer step.")] = 64,
    micro_tokens: Annotated[
        int, typer.Option(min=1, help="Padded tokens that are computed at a time.")
    ] = 8192,
    max_grad_norm: Annotated[float, typer.Option(min=0.0)] = 1.0,
    max_gap: Annotated[
        float, typer.Option(min=0.0, help="Nats a token that model and log may differ by.")
    ] = 1.0,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    save_every: Annotated[int, typer.Option(min=1, help="Steps between checkpoints.")] = 20,
    groups: Annotated[
        str, typer.Option(metavar="PREFIX", help="Train on groups alone that are called PREFIX....")
    ] = "",
    skip_damaged: Annotated[
        bool, typer.Option("--skip-damaged", help="Leave damaged files and lines out.")
    ] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from the last checkpoint of OUT.run.")
    ] = False,
    wandb: Annotated[
        str | None, typer.Option(metavar="PROJECT", help="Report to Weights & Biases too.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object as the result.")] = False,
) -> None:
    """Train once on the trees that may train, and write the version with its manifest.

    Goes on in the trainer's environment. Figures of every step are in OUT.run. Exit code 1: it was
    not made, and there is no OUT; 3: something has to be installed first.
    """
    if weights is not None and not full:
        raise typer.BadParameter("full weights are trained with --full", param_hint="--weights")
    if value_head is not None and not critic:
        raise typer.BadParameter("a value head goes with --critic", param_hint="--value-head")
    try:
        training_env.enter(sys.argv[1:])
        from training import update as updating  # noqa: PLC0415 - needs torch
        from training.critic import CriticSettings  # noqa: PLC0415
        from training.load_policy import ModelSettings  # noqa: PLC0415
        from training.loss import LossSettings  # noqa: PLC0415
        from training.trainer import TrainerSettings  # noqa: PLC0415
        from training.update_data import DataSettings  # noqa: PLC0415

        settings = updating.UpdateSettings(
            data=DataSettings(
                parent=parent,
                lambda_=lambda_,
                baseline=baseline,
                max_staleness=max_staleness,
                max_tokens=max_tokens,
                skip_damaged=skip_damaged,
                group_prefix=groups,
                value_baseline=critic,
            ),
            model=ModelSettings(
                path=model,
                base_name=base or model.resolve().name,
                lora_rank=0 if full else lora,
                adapter=adapter,
                weights=weights,
                dtype=dtype,
                gradient_checkpointing=gradient_checkpointing,
                threshold=threshold,
                has_critic=critic,
                value_head=value_head,
            ),
            trainer=TrainerSettings(
                loss=LossSettings(kind=loss, entropy_weight=entropy, kl_weight=kl or 0.0),
                lr=lr,
                threshold_lr=threshold_lr,
                max_grad_norm=max_grad_norm,
                epochs=epochs,
                step_rows=step_rows,
                micro_tokens=micro_tokens,
                seed=seed,
                save_every=save_every,
                max_gap=max_gap,
                bf16=dtype == "bf16",
                critic=CriticSettings(gae_lambda=gae_lambda, lr=value_lr) if critic else None,
            ),
            policy=policy,
            with_kl=kl is not None,
            wandb_project=wandb,
        )
        result = updating.update(log, out, settings, resume=resume)
    except BanyanError as error:
        _tell(error, as_json=as_json)
        raise typer.Exit(error.exit_code if isinstance(error, LocalError) else Exit.ERROR) from None
    typer.echo(json.dumps(result) if as_json else _text(result))


def _tell(error: BanyanError, *, as_json: bool) -> None:
    if not as_json:
        print_error(error, program="banyan-train")
        return
    typer.echo(json.dumps(fields_of(error)))


def _text(result: dict[str, Any]) -> str:
    left_out = {
        f"{what} {reason}": count
        for what, counts in result["left_out"].items()
        for reason, count in counts.items()
        if count
    }
    counts = ", ".join(f"{count} {name}" for name, count in left_out.items())
    done = (
        f"{result['out']}: {result['kind']} after {result['steps']} steps on {result['tokens']} "
        f"tokens and {result['choices']} choices in {result['rows']} rows "
        f"of {result['trees']} trees"
    )
    gap = result["logprob_gap"]
    losses = (
        f"loss {result['first_loss']:.4f} to {result['last_loss']:.4f}, gap to the engine "
        + ("unknown (all rows are stale)" if gap is None else f"{gap:.4f} nats a token")
        + f", threshold {result['threshold']:.4f}"
    )
    figures = f"figures: {result['run']}"
    return "\n".join((done, f"left out: {counts or 'nothing'}", losses, figures))
