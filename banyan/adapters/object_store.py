"""Object store: an S3-compatible bucket, opened by its URL.

Credentials that the settings do not have are found as AWS's own tools find them:
`AWS_ACCESS_KEY_ID` and its like, a web identity (`AWS_WEB_IDENTITY_TOKEN_FILE`, `AWS_ROLE_ARN`), or
the metadata service of the machine.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from obstore.exceptions import BaseError
from obstore.store import S3Store

from banyan.errors import NotFound, StoreUnavailable
from banyan.settings import Settings

if TYPE_CHECKING:
    from obstore.store import S3Config  # there for type checkers alone

PART_BYTES = 8 * 1024 * 1024
"""Of an upload in parts. With at most 10,000 parts, S3 takes objects up to 78 GiB so."""
NUM_PARALLEL_PARTS = 2

_CONNECT_TIMEOUT = timedelta(seconds=5)
_SILENCE = timedelta(seconds=30)
_RETRY_TIMEOUT = timedelta(seconds=20)
_MAX_RETRIES = 4


def open_bucket(url: str, settings: Settings) -> S3Store:
    """The bucket of `s3://BUCKET/PREFIX`; keys are below the prefix. Nothing is sent yet.

    Raises ValueError where `url` is something else.
    """
    parts = urlsplit(url)
    if parts.scheme != "s3" or not parts.netloc or parts.query or parts.fragment:
        raise ValueError("a bucket's URL has the form s3://BUCKET or s3://BUCKET/PREFIX")
    config: S3Config = {"endpoint": settings.s3_endpoint} if settings.s3_endpoint else {}
    if settings.s3_access_key_id:
        config["access_key_id"] = settings.s3_access_key_id
        config["secret_access_key"] = settings.s3_secret_access_key
    return S3Store(
        parts.netloc,
        prefix=parts.path.strip("/") or None,
        config=config,
        region=settings.s3_region,
        client_options={
            "allow_http": settings.s3_endpoint.startswith("http://"),
            "connect_timeout": _CONNECT_TIMEOUT,
            "read_timeout": _SILENCE,
        },
        retry_config={"max_retries": _MAX_RETRIES, "retry_timeout": _RETRY_TIMEOUT},
    )


@contextmanager
def put_translated(key: str) -> Iterator[None]:
    """For writing, where nothing but the bucket can be missing: StoreUnavailable."""
    try:
        with translated(key):
            yield
    except NotFound as error:
        raise StoreUnavailable(
            f"there is no bucket to keep {key} in", hint="Make the bucket, or correct its URL."
        ) from error


@contextmanager
def translated(key: str) -> Iterator[None]:
    """What a bucket raises, as errors of ours: NotFound and StoreUnavailable."""
    try:
        yield
    except FileNotFoundError as error:
        raise NotFound(f"no object {key}") from error
    except BaseError as error:
        raise StoreUnavailable(
            f"the object store failed on {key}: {type(error).__name__}",
            hint="Check that the bucket exists, that BANYAN_S3_ENDPOINT answers, and that the "
            "credentials may read and write there.",
        ) from error
