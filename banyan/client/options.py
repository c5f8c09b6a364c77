"""Options that many commands have."""

from __future__ import annotations

from typing import Annotated

import typer

from banyan.client.calls import DEFAULT_URL

Url = Annotated[str, typer.Option(envvar="BANYAN_URL", help="The service; see `banyan up`.")]
AsJson = Annotated[bool, typer.Option("--json", help="The result as one JSON object.")]
SolveId = Annotated[str, typer.Argument(metavar="ID", help="The solve's id.")]

__all__ = ["DEFAULT_URL", "AsJson", "SolveId", "Url"]
