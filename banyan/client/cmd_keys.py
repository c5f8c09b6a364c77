"""`banyan keys`: API keys: make, list, revoke."""

from __future__ import annotations

import re
import time
from typing import Annotated, cast

import typer
from rich.console import Console
from rich.table import Table

from banyan.access import DEFAULT_TENANT, SCOPES, TENANT_PATTERN, Scope
from banyan.client.calls import DEFAULT_URL
from banyan.client.credentials import API_KEY_VARIABLE
from banyan.client.exits import EXIT_CODES_HELP
from banyan.client.key_admin import KeyAdmin
from banyan.client.keys import KeyInfo, KeyList, NewKey
from banyan.client.messages import told

app = typer.Typer(
    help="API keys: make, list, revoke.",
    add_completion=False,
    epilog=EXIT_CODES_HELP,
    no_args_is_help=True,
)

Url = Annotated[str, typer.Option(envvar="BANYAN_URL", help="The service; see `banyan up`.")]
AsJson = Annotated[bool, typer.Option("--json", help="The result as one JSON object.")]
_DAY_S = 86_400.0


def _tenant(value: str | None) -> str | None:
    if value is not None and not re.fullmatch(TENANT_PATTERN, value):
        raise typer.BadParameter("1 to 63 letters, digits, - and _, the first a letter or digit")
    return value


def _scopes(values: list[str]) -> list[str]:
    if foreign := set(values) - set(SCOPES):
        raise typer.BadParameter(f"{', '.join(sorted(foreign))}: choose of {', '.join(SCOPES)}")
    return values


@app.command(epilog=EXIT_CODES_HELP)
def create(
    *,
    tenant: Annotated[
        str, typer.Option(callback=_tenant, help="Whose data the key opens.")
    ] = DEFAULT_TENANT,
    scope: Annotated[
        list[str] | None,
        typer.Option(
            callback=lambda values: _scopes(values or ["solve", "documents"]),
            help=f"What it opens, again for each: {', '.join(SCOPES)}. Default: solve, documents.",
        ),
    ] = None,
    name: Annotated[str, typer.Option(help="For people: who or what uses it.")] = "",
    days: Annotated[
        float | None, typer.Option(min=0.001, max=36_500, help="Until it expires; else never.")
    ] = None,
    store: Annotated[
        str | None,
        typer.Option(
            metavar="REDIS_URL",
            help="Write it into the state store itself: for the first key, of scope admin.",
        ),
    ] = None,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Make a key and print it, this once: only its hash is kept.

    Needs a key of scope admin in BANYAN_API_KEY, or --store.
    """
    scopes = cast("list[Scope]", scope or [])
    expires_in_s = None if days is None else days * _DAY_S
    with told(as_json=as_json):
        if store is not None:
            from banyan.local import first_key  # noqa: PLC0415  # needs the extra `service`

            made = first_key.create(
                store, tenant=tenant, scopes=scopes, name=name, expires_in_s=expires_in_s
            )
        else:
            with KeyAdmin(url) as admin:
                made = admin.create(
                    tenant=tenant, scopes=scopes, name=name, expires_in_s=expires_in_s
                )
    if as_json:
        typer.echo(made.model_dump_json())
    else:
        _print_new(made)


@app.command("list", epilog=EXIT_CODES_HELP)
def list_all(
    *,
    tenant: Annotated[
        str | None, typer.Option(callback=_tenant, help="Only this tenant's.")
    ] = None,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Show all keys by their prefix, revoked ones too."""
    with told(as_json=as_json), KeyAdmin(url) as admin:
        found = admin.list(tenant)
    if as_json:
        typer.echo(found.model_dump_json())
    else:
        _print_list(Console(highlight=False), found)


@app.command(epilog=EXIT_CODES_HELP)
def revoke(
    prefix: Annotated[str, typer.Argument(help="Such as bny_k3j9x2m4p7qa.")],
    *,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Let a key open nothing any more, at once and for good."""
    with told(as_json=as_json), KeyAdmin(url) as admin:
        gone = admin.revoke(prefix)
    typer.echo(gone.model_dump_json() if as_json else f"{gone.prefix} opens nothing any more")


def _print_new(made: NewKey) -> None:
    """The key alone on stdout, so that a script can take it; the rest on stderr."""
    typer.echo(
        f"tenant {made.tenant}, scopes {', '.join(made.scopes)}. "
        f"Keep it: it is not shown again. Clients take it from {API_KEY_VARIABLE}.",
        err=True,
    )
    typer.echo(made.key)


def _print_list(console: Console, found: KeyList) -> None:
    if not found.keys:
        console.print("No keys: `banyan keys create` makes one.")
        return
    table = Table("prefix", "tenant", "scopes", "name", "state", box=None)
    for one in found.keys:
        table.add_row(one.prefix, one.tenant, " ".join(one.scopes), one.name, _state(one))
    console.print(table)


def _state(key: KeyInfo) -> str:
    if key.revoked_at is not None:
        return "revoked"
    if key.expires_at is not None and key.expires_at <= time.time():
        return "expired"
    return "live"
