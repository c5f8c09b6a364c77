"""Curl: the few options that the documents use, so that their requests can be sent without it."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import httpx

DOCUMENTED_URL = "http://127.0.0.1:8080"


class _Strict(argparse.ArgumentParser):
    def error(self, message: str) -> None:  # type: ignore[override]  # it may return nowhere
        raise ValueError(message)


def send(words: Sequence[str], url: str, folder: Path) -> httpx.Response:
    """Send what `curl` would, to the service at `url`; files are looked up in `folder`.

    Raises ValueError for an option that is not known here, and for another address.
    """
    parser = _Strict(prog="curl", add_help=False, allow_abbrev=False)
    parser.add_argument("url")
    for flag in ("-s", "-S", "-N"):
        parser.add_argument(flag, action="store_true")
    parser.add_argument("-X", dest="method")
    parser.add_argument("-H", dest="headers", action="append", default=[])
    parser.add_argument("-d", "--data-binary", dest="body")
    options = parser.parse_args(words)
    if not options.url.startswith(DOCUMENTED_URL):
        raise ValueError(f"{options.url} is not at {DOCUMENTED_URL}")
    headers = dict(header.split(": ", 1) for header in options.headers)
    body = options.body
    if body is not None and body.startswith("@"):
        body = (folder / body[1:]).read_bytes()
    method = options.method or ("GET" if body is None else "POST")
    return httpx.request(
        method,
        url + options.url.removeprefix(DOCUMENTED_URL),
        headers=headers,
        content=body,
        timeout=130.0,
        trust_env=False,
    )
