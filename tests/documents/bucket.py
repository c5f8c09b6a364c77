"""A bucket on an S3-compatible server of this machine, that clients reach over HTTP."""

from __future__ import annotations

import secrets
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from obstore.store import S3Store

from banyan.adapters.object_store import open_bucket
from banyan.local.ports import LOOPBACK, free_port
from banyan.local.probes import is_up
from banyan.local.processes import Processes
from banyan.local.programs import environment
from banyan.settings import Settings
from tests.facade.clients_env import clients_env

PATIENCE_S = 120.0


@dataclass(frozen=True)
class Bucket:
    """Where it is, and what it keeps."""

    endpoint: str
    name: str

    @property
    def settings(self) -> Settings:
        """Those of a service that keeps its documents here."""
        return settings_for(f"s3://{self.name}/some/prefix", self.endpoint)

    def open(self) -> S3Store:
        """The bucket, below the prefix."""
        return open_bucket(self.settings.blob_url, self.settings)

    def names(self) -> list[str]:
        """Of all objects of the bucket, in order."""
        return _between(self._get("?list-type=2"), "<Key>", "</Key>")

    def num_uploads(self) -> int:
        """Uploads in parts that were begun, and neither completed nor given up."""
        return self._get("?uploads").count("<UploadId>")

    def _get(self, query: str) -> str:
        url = f"{self.endpoint}/{self.name}{query}"
        return httpx.get(url, timeout=PATIENCE_S).raise_for_status().text


@contextmanager
def serving() -> Iterator[str]:
    """Run moto's server on a free port until the block ends; its address."""
    python = clients_env().ensure(lambda _: None)
    port = free_port()
    url = f"http://{LOOPBACK}:{port}"
    argv = [str(python), "-m", "moto.server", "-H", LOOPBACK, "-p", str(port)]
    with tempfile.TemporaryDirectory() as folder, Processes(Path(folder)) as processes:
        child = processes.start("moto", argv, env=environment())
        give_up_at = time.monotonic() + PATIENCE_S
        while not is_up(f"{url}/moto-api/"):
            if child.process.poll() is not None or time.monotonic() > give_up_at:
                raise TimeoutError("moto's server does not answer")
            time.sleep(0.05)
        yield url


def settings_for(url: str, endpoint: str) -> Settings:
    """Of a bucket, with some credentials."""
    return Settings(
        blob_url=url,
        s3_endpoint=endpoint,
        s3_access_key_id="someone",
        s3_secret_access_key="secret",  # noqa: S106  # the server takes any
    )


def make_bucket(endpoint: str) -> Bucket:
    """A new and empty one."""
    bucket = Bucket(endpoint, f"documents-{secrets.token_hex(8)}")
    httpx.put(f"{endpoint}/{bucket.name}", timeout=PATIENCE_S).raise_for_status()
    return bucket


def _between(text: str, start: str, end: str) -> list[str]:
    return [part.partition(end)[0] for part in text.split(start)[1:]]
