"""`banyan-train data`: what a trajectory log holds, what may train, and whether it is whole."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from banyan.client.exits import Exit
from banyan.errors import BanyanError
from banyan.local import training_env
from banyan.local.errors import LocalError
from banyan.settings import Settings
from training.dataset import Survey, survey
from training.eligibility import REASONS, Rules
from training.errors import TrainingError
from training.export import Format
from training.export import export as write_export
from training.telling import fields_of

data = typer.Typer(
    name="data",
    help="Read the trajectory log: count it, check it, take out what may train.",
    no_args_is_help=True,
)

MAX_SHOWN = 20

Log = Annotated[
    Path, typer.Argument(metavar="DIR", help="BANYAN_TRAJECTORY_DIR, or one file of trees.")
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object instead of a table.")]
Live = Annotated[
    str | None, typer.Option(help="The version served now; rows too far behind it are stale.")
]
Staleness = Annotated[int, typer.Option(min=0, help="With --live: versions behind that may train.")]
ValueBaseline = Annotated[
    bool, typer.Option("--value-baseline", help="A tree may train alone, against a value head.")
]


@data.command()
def stats(
    log: Log,
    *,
    live: Live = None,
    max_staleness: Staleness = 2,
    value_baseline: ValueBaseline = False,
    as_json: AsJson = False,
) -> None:
    """Count trees, nodes, tokens and versions, and which trees may train. Exit code 1: damage."""
    _enter_for(log, as_json=as_json)
    found = _survey(log, Rules(live, max_staleness, value_baseline), as_json=as_json)
    if as_json:
        typer.echo(json.dumps(_figures(found)))
    else:
        _print_figures(found)
    _exit_on_damage(found, as_json=as_json)


@data.command()
def check(log: Log, *, as_json: AsJson = False) -> None:
    """Name every file and line that is damaged, foreign or newer. Exit code 1: there is one."""
    _enter_for(log, as_json=as_json)
    found = _survey(log, Rules(), as_json=as_json)
    if as_json:
        fields = [fields_of(error) for error in found.damage]
        typer.echo(
            json.dumps({"files": found.num_files, "trees": len(found.rows), "damage": fields})
        )
    else:
        typer.echo(f"{found.num_files} files, {len(found.rows)} trees that are whole")
        for error in found.damage:
            typer.echo(f"{error.code}  {error}", err=True)
    if found.damage:
        raise typer.Exit(Exit.ERROR)


@data.command()
def export(
    log: Log,
    out: Annotated[
        Path, typer.Argument(help="File to write; JSONL is compressed where it ends in .zst.")
    ],
    *,
    form: Annotated[
        Format, typer.Option("--format", help="parquet needs the trainer's environment.")
    ] = "jsonl",
    live: Live = None,
    max_staleness: Staleness = 2,
    value_baseline: ValueBaseline = False,
    skip_damaged: Annotated[
        bool, typer.Option("--skip-damaged", help="Leave damaged files and lines out.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Write the records of the trees that may train, with their success: all or nothing."""
    _enter_for(log, form, as_json=as_json)
    found = _survey(log, Rules(live, max_staleness, value_baseline), as_json=as_json)
    if not skip_damaged:
        _exit_on_damage(found, as_json=as_json)
    if out.exists():
        raise typer.BadParameter(f"{out} is there already", param_hint="OUT")
    try:
        num_nodes = write_export(log, found, out, form)
    except TrainingError as error:
        _fail(error, as_json=as_json)
    figures = {
        "trees": len(found.eligible),
        "nodes": num_nodes,
        "left_out": dict(found.reasons),
        "damaged": len(found.damage),
    }
    left_out = sum(found.reasons.values())
    typer.echo(
        json.dumps(figures)
        if as_json
        else f"{figures['trees']} trees, {num_nodes} nodes to {out}; {left_out} trees left out, "
        f"{len(found.damage)} damaged"
    )


@data.command()
def pull(
    url: Annotated[
        str, typer.Argument(metavar="URL", help="The log's bucket, s3://BUCKET/PREFIX.")
    ],
    log: Annotated[Path, typer.Argument(metavar="DIR", help="A folder, which then holds the log.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Copy what is in a log's bucket and not yet in a folder. BANYAN_S3_... are its settings."""
    # What talks to buckets is not in the trainer's environment.
    from banyan.adapters.object_store import open_bucket  # noqa: PLC0415
    from banyan.adapters.trajectory_bucket import TrajectoryBucket  # noqa: PLC0415

    settings = Settings()
    try:
        num_files = TrajectoryBucket(lambda part: open_bucket(f"{url}/{part}", settings)).pull(log)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="URL") from None
    except BanyanError as error:
        _tell(error, as_json=as_json)
        raise typer.Exit(Exit.ERROR) from None
    typer.echo(json.dumps({"files": num_files}) if as_json else f"{num_files} files to {log}")


def _enter_for(log: Path, form: Format = "jsonl", *, as_json: bool) -> None:
    """Parquet is read and written in the trainer's environment: go on there."""
    if form == "parquet" or log.suffix == ".parquet":
        try:
            training_env.enter(sys.argv[1:])
        except LocalError as error:
            _tell(error, as_json=as_json)
            raise typer.Exit(error.exit_code) from None


def _survey(log: Path, rules: Rules, *, as_json: bool) -> Survey:
    try:
        return survey(log, rules)
    except TrainingError as error:
        _fail(error, as_json=as_json)


def _figures(found: Survey) -> dict[str, Any]:
    tally, eligible = found.tally, [row for row in found.rows if row.reason is None]
    return {
        "files": found.num_files,
        "trees": len(found.rows),
        "nodes": tally.num_nodes,
        "turns": tally.num_turns,
        "statuses": dict(tally.statuses),
        "profiles": dict(tally.profiles),
        "nodes_by_depth": dict(sorted(tally.nodes_by_depth.items())),
        "outcomes": dict(tally.outcomes),
        "tokens": {
            "prompt": tally.prompt_tokens,
            "cached": tally.cached_tokens,
            "completion": tally.completion_tokens,
            "sampled": tally.sampled_tokens,
        },
        "policy_versions": dict(tally.policy_versions),
        "dropped": dict(tally.dropped),
        "feedback": {"lines": found.verdicts.num_lines, "nodes": len(found.verdicts.latest)},
        "success_sources": dict(tally.success_sources),
        "eligible": {"trees": len(eligible), "nodes": sum(row.num_nodes for row in eligible)},
        "not_eligible": dict(found.reasons),
        "damage": [fields_of(error) for error in found.damage],
    }


def _print_figures(found: Survey) -> None:
    tally = found.tally
    rows = {
        "trees": f"{len(found.rows)} in {found.num_files} files: {_counts(tally.statuses)}",
        "profiles": _counts(tally.profiles),
        "nodes": f"{tally.num_nodes}, {tally.num_turns} turns",
        "by depth": ", ".join(f"{d}: {n}" for d, n in sorted(tally.nodes_by_depth.items())),
        "outcomes": _counts(tally.outcomes),
        "tokens": f"{tally.prompt_tokens} prompt ({tally.cached_tokens} cached), "
        f"{tally.completion_tokens} completion, {tally.sampled_tokens} sampled",
        "versions": _counts(tally.policy_versions),
        "dropped": _counts(tally.dropped),
        "success": _counts(tally.success_sources),
        "feedback": f"{found.verdicts.num_lines} lines, {len(found.verdicts.latest)} nodes",
        "may train": f"{len(found.eligible)} trees",
    }
    for name, text in rows.items():
        typer.echo(f"{name:<10}{text or 'none'}")
    for reason, count in found.reasons.most_common():
        typer.echo(f"{'not':<10}{count} {reason}: {REASONS[reason]}")


def _counts(counter: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counter.most_common())


def _exit_on_damage(found: Survey, *, as_json: bool) -> None:
    """Tell of damage on stderr (`--json` of stats has it in its object), with exit code 1."""
    if not found.damage:
        return
    for error in found.damage[:MAX_SHOWN]:
        typer.echo(f"banyan-train: {error.code}: {error}", err=True)
    if len(found.damage) > MAX_SHOWN:
        typer.echo(f"banyan-train: and {len(found.damage) - MAX_SHOWN} more", err=True)
    if not as_json:
        typer.echo("`banyan-train data check` lists all damage.", err=True)
    raise typer.Exit(Exit.ERROR)


def _fail(error: TrainingError, *, as_json: bool) -> NoReturn:
    _tell(error, as_json=as_json)
    raise typer.Exit(Exit.ERROR)


def _tell(error: BanyanError, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(fields_of(error)))
    else:
        typer.echo(f"banyan-train: {error}\n{error.hint}", err=True)
