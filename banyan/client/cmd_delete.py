"""`banyan delete`: forget a finished solve, or a document."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from banyan.client.messages import told
from banyan.client.options import DEFAULT_URL, AsJson, Url
from banyan.client.sdk import Client

_DOCUMENT = "doc_"


def delete(
    identifier: Annotated[
        str, typer.Argument(metavar="ID", help="The id of a solve or of a document.")
    ],
    *,
    as_json: AsJson = False,
    url: Url = DEFAULT_URL,
) -> None:
    """Forget ID: a finished solve with its nodes and its answer, or a document with its text."""
    with told(as_json=as_json), Client(url) as client:
        if identifier.startswith(_DOCUMENT):
            client.delete_document(identifier)
        else:
            client.delete(identifier)
    deleted = json.dumps({"id": identifier, "deleted": True})
    typer.echo(deleted if as_json else f"{identifier} is deleted")
