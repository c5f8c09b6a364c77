"""`banyan policies`: versions of the served weights: list, publish, promote, take back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from banyan.client.calls import DEFAULT_URL, MAX_WAIT_S
from banyan.client.exits import EXIT_CODES_HELP, Exit
from banyan.client.messages import told
from banyan.client.options import AsJson, Url
from banyan.client.policies import PolicyList, PolicyVersion
from banyan.client.policy_admin import PolicyAdmin

app = typer.Typer(
    help="Versions of the served weights: list, publish, promote, take back.",
    epilog=EXIT_CODES_HELP,
    no_args_is_help=True,
    add_completion=False,
)

Name = Annotated[str, typer.Argument(metavar="VERSION", help="Such as policy-v3.")]


@app.command("list", epilog=EXIT_CODES_HELP)
def list_all(*, url: Url = DEFAULT_URL, as_json: AsJson = False) -> None:
    """Show every version, its state, and which one new solves get."""
    with _admin(url, as_json=as_json) as admin:
        found = admin.list()
    if as_json:
        typer.echo(found.model_dump_json())
    else:
        _print_list(Console(highlight=False), found)


@app.command(epilog=EXIT_CODES_HELP)
def show(version: Name, *, url: Url = DEFAULT_URL, as_json: AsJson = False) -> None:
    """Show one version and its manifest."""
    with _admin(url, as_json=as_json) as admin:
        found = admin.get(version)
    typer.echo(found.model_dump_json(indent=None if as_json else 2))


@app.command(epilog=EXIT_CODES_HELP)
def publish(
    directory: Annotated[
        str,
        typer.Argument(
            metavar="DIR", help="Inside the service's BANYAN_POLICY_DIR, relative to it."
        ),
    ],
    *,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Check and copy the weights in DIR, and judge their evaluation.

    Exit code 6: they were published, and rejected.
    """
    _change(lambda admin: admin.publish(directory), url, as_json=as_json, expects={"verified"})


@app.command(epilog=EXIT_CODES_HELP)
def promote(
    version: Name,
    *,
    share: Annotated[
        float, typer.Option(min=0.0001, max=1.0, help="Of new solves; under 1 it is a canary.")
    ] = 1.0,
    wait: Annotated[
        float, typer.Option(min=0, help="Seconds to wait until it is loaded and proved.")
    ] = MAX_WAIT_S,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Make VERSION live, or the canary of a share of new solves, once it is loaded and proved.

    Exit code 5: it has not arrived yet; 6: it did not make it, and what was live is live still.
    """
    expects = {"live"} if share == 1 else {"canary"}
    _change(
        lambda admin: admin.promote(version, share=share, wait_s=wait),
        url,
        as_json=as_json,
        expects=expects,
    )


@app.command(epilog=EXIT_CODES_HELP)
def rollback(version: Name, *, url: Url = DEFAULT_URL, as_json: AsJson = False) -> None:
    """Take VERSION back at once: what was live before it is live again."""
    _change(lambda admin: admin.roll_back(version), url, as_json=as_json)


@app.command(epilog=EXIT_CODES_HELP)
def reject(
    version: Name,
    *,
    reason: Annotated[str, typer.Option(help="Kept with the version.")] = "by an operator",
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Never serve VERSION (again). One that is live must be rolled back first."""
    _change(lambda admin: admin.reject(version, reason=reason), url, as_json=as_json)


@contextmanager
def _admin(url: str, *, as_json: bool) -> Iterator[PolicyAdmin]:
    with told(as_json=as_json), PolicyAdmin(url) as admin:
        yield admin


def _change(
    make: Callable[[PolicyAdmin], PolicyVersion],
    url: str,
    *,
    as_json: bool,
    expects: set[str] | None = None,
) -> None:
    with _admin(url, as_json=as_json) as admin:
        version = make(admin)
    if as_json:
        typer.echo(version.model_dump_json())
    else:
        why = f": {'; '.join(version.reasons)}" if version.reasons else ""
        typer.echo(f"{version.version} is {version.state}{why}")
    if expects is None or version.state in expects:
        raise typer.Exit(Exit.OK)
    raise typer.Exit(Exit.FAILED if version.reasons else Exit.PARTIAL)


def _print_list(console: Console, found: PolicyList) -> None:
    if not found.versions:
        console.print("No versions: every policy serves its own weights.")
        return
    for name, line in found.policies.items():
        parts = [f"{name}: {line.live} is live"]
        if line.canary:
            parts.append(f"{line.canary} gets {line.canary_share:.0%} of new solves")
        if line.moving_to:
            parts.append(f"{line.moving_to} is being loaded")
        console.print(", ".join(parts), soft_wrap=True)
    table = Table("version", "policy", "kind", "state", "parent", "reasons", box=None)
    for one in found.versions:
        reasons = "; ".join(one.reasons)
        table.add_row(one.version, one.policy, one.kind, one.state, one.parent, reasons)
    console.print(table)
