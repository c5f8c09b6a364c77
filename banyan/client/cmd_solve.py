"""`banyan solve`: ask a running service, watch the tree, print the answer."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from banyan.client.calls import DEFAULT_URL, SolveOptions
from banyan.client.ending import end_with
from banyan.client.messages import told
from banyan.client.sdk import Client
from banyan.client.watching import watch
from banyan.limits import Limits
from banyan.task import Gate, GateMode, StateChoice

_DEFAULTS = Limits()


def solve(
    goal: Annotated[str, typer.Argument(metavar="GOAL", help="What is asked, in plain words.")],
    files: Annotated[
        list[str] | None,
        typer.Argument(metavar="FILE", help="Text, Markdown, HTML or PDF. `-` is standard input."),
    ] = None,
    *,
    more_files: Annotated[
        list[str] | None,
        typer.Option("--file", "-f", metavar="FILE", help="The same; repeat it for several."),
    ] = None,
    follow: Annotated[
        bool,
        typer.Option(
            "--follow",
            help="Show the tree as it grows, on stderr: drawn on a terminal, else line by line. "
            "With --json: each event as a line on stdout.",
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The result as one JSON object.")] = False,
    url: Annotated[
        str, typer.Option(envvar="BANYAN_URL", help="The service; see `banyan up`.")
    ] = DEFAULT_URL,
    schema: Annotated[
        Path | None,
        typer.Option(
            dir_okay=False,
            exists=True,
            help="JSON Schema that the answer must follow; its root is an object.",
        ),
    ] = None,
    gate: Annotated[
        GateMode | None,
        typer.Option(help="When to delegate. [dim]\\[default: the service's, threshold][/]"),
    ] = None,
    threshold: Annotated[
        float | None,
        typer.Option(help="For --gate threshold, in nats. Default: the policy's own."),
    ] = None,
    rollout_group: Annotated[
        str | None,
        typer.Option(
            metavar="GROUP", help="Sample it to be trained on, as one of the trees of GROUP."
        ),
    ] = None,
    no_train: Annotated[
        bool, typer.Option("--no-train", help="Keep it out of the trajectory log.")
    ] = False,
    state: Annotated[
        StateChoice | None,
        typer.Option(help="In which form a parent hands its context to its children."),
    ] = None,
    max_depth: Annotated[
        int | None, typer.Option(help=f"Levels below the root (default {_DEFAULTS.max_depth}).")
    ] = None,
    max_nodes: Annotated[
        int | None, typer.Option(help=f"Nodes of the tree (default {_DEFAULTS.max_nodes:,}).")
    ] = None,
    max_tokens: Annotated[
        int | None,
        typer.Option(help=f"Tokens over all nodes (default {_DEFAULTS.max_tokens:,})."),
    ] = None,
    max_parallel: Annotated[
        int | None, typer.Option(help=f"Nodes at one time (default {_DEFAULTS.max_parallel}).")
    ] = None,
    max_answer_tokens: Annotated[
        int | None,
        typer.Option(help="Length of the answer in tokens (default an eighth of the window)."),
    ] = None,
    deadline: Annotated[
        float | None,
        typer.Option(help=f"Seconds until the best answer so far ({_DEFAULTS.deadline_s:.0f})."),
    ] = None,
    max_cost: Annotated[
        float | None,
        typer.Option(help="USD over all nodes, by the prices of the policies (default: no limit)."),
    ] = None,
    policy: Annotated[
        str | None, typer.Option(help="What the root runs on. Default: the live one.")
    ] = None,
    leaves: Annotated[
        str | None,
        typer.Option(help="The policy that reads what the root hands out. Default: the root's."),
    ] = None,
) -> None:
    """Upload the files, solve GOAL over them, and print the answer with its sources.

    Ctrl-C cancels the solve; a second one leaves at once.
    """
    options = SolveOptions()
    limits = {
        "max_depth": max_depth,
        "max_nodes": max_nodes,
        "max_tokens": max_tokens,
        "max_parallel": max_parallel,
        "max_answer_tokens": max_answer_tokens,
        "deadline_s": deadline,
        "max_cost_usd": max_cost,
    }
    given = {name: value for name, value in limits.items() if value is not None}
    if given:
        options["limits"] = _limits(given)
    if gate is not None or threshold is not None:
        options["gate"] = Gate(mode=gate or "threshold", threshold=threshold)
    if rollout_group is not None:
        options |= {"profile": "rollout", "group_id": rollout_group}
    if no_train:
        options["train"] = False
    if policy is not None:
        options["policy"] = policy
    if leaves is not None:
        options["leaves"] = leaves
    if state is not None:
        options["state"] = state
    if schema is not None:
        options["answer_schema"] = _schema(schema)
    sources = [_source(name) for name in [*(files or ()), *(more_files or ())]]
    with told(as_json=as_json), Client(url) as client:
        documents = [client.upload(source, title=title) for source, title in sources]
        # By the names used here: the same text may have been stored before under another.
        names = {one.id: title for one, (_, title) in zip(documents, sources, strict=True)}
        started = client.submit(goal, documents=documents, **options)
        result = watch(client, started.id, follow=follow, as_json=as_json)
    end_with(result, as_json=as_json, names=names)


def _limits(given: dict[str, Any]) -> Limits:
    try:
        return Limits.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]).removesuffix("_s").removesuffix("_usd").replace("_", "-")
        raise typer.BadParameter(first["msg"], param_hint=f"--{name}") from error


def _schema(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise typer.BadParameter(f"{path} is not JSON: {error}", param_hint="--schema") from error
    if not isinstance(value, dict):
        raise typer.BadParameter(f"{path} is not a JSON object", param_hint="--schema")
    return value


def _source(name: str) -> tuple[Path | bytes, str]:
    """What to upload, and its title."""
    if name == "-":
        return sys.stdin.buffer.read(), "standard input"
    path = Path(name)
    if not path.is_file():
        raise typer.BadParameter(f"{name} is not a file", param_hint="--file")
    try:
        path.open("rb").close()
    except OSError as error:
        raise typer.BadParameter(f"{name}: {error.strerror}", param_hint="--file") from error
    return path, path.name
