"""The process that reads one document of a foreign format: `python -m` this, with one argument.

The argument is a `Job` as JSON. The text is written to the job's target in UTF-8, and `Facts` as
JSON to the output. What is refused ends with REFUSED and an error as JSON, and NO_ROOM says that
the disk is full. Limits are set before any parser is imported, and hold whatever a document does to
it.
"""

from __future__ import annotations

import errno
import json
import resource
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, TypedDict

from banyan.adapters.room import is_full
from banyan.errors import InvalidDocument, NoText, StoreFull, TooComplex

REFUSED = 3
NO_ROOM = 4
_BLOCK_BYTES = 1 << 16
_HEAD_BYTES = 1024
_PAGE_BREAK = "\n\n"


class Job(TypedDict):
    """What is to be read, and what that may take."""

    kind: Literal["html", "pdf"]
    charset: str | None
    source: str
    target: str
    max_pages: int
    max_text_bytes: int
    memory_bytes: int
    cpu_s: int


class Facts(TypedDict, total=False):
    """What is known of a document beside its text."""

    encoding: str
    num_pages: int
    num_pages_without_text: int


class Refusal(TypedDict):
    """An InvalidDocument on its way to the parent: the name of its type, and its message."""

    error: str
    message: str


def main() -> int:
    """Read one document."""
    job: Job = json.loads(sys.argv[1])
    _limit(job)
    try:
        facts = _read(job)
    except InvalidDocument as error:
        refusal: Refusal = {"error": type(error).__name__, "message": str(error)}
        sys.stdout.write(json.dumps(refusal))
        return REFUSED
    except StoreFull:
        return NO_ROOM
    sys.stdout.write(json.dumps(facts))
    return 0


def _limit(job: Job) -> None:
    limits = {
        resource.RLIMIT_AS: job["memory_bytes"],
        resource.RLIMIT_CPU: job["cpu_s"],
        resource.RLIMIT_FSIZE: job["max_text_bytes"],
        resource.RLIMIT_CORE: 0,
    }
    for limit, value in limits.items():
        resource.setrlimit(limit, (value, value))


def _read(job: Job) -> Facts:
    try:
        with Path(job["target"]).open("w", encoding="utf-8", newline="") as target:
            facts = Facts()
            texts = _html(job, facts) if job["kind"] == "html" else _pdf(job, facts)
            has_text = False
            for text in texts:
                has_text = has_text or bool(text.strip())
                target.write(text)
    except MemoryError as error:
        raise TooComplex("reading the document takes too much memory") from error
    except OSError as error:
        if error.errno == errno.EFBIG:
            raise TooComplex(f"its text is larger than {job['max_text_bytes']} bytes") from error
        if is_full(error):
            raise StoreFull("no room for the text of a document") from error
        raise
    if not has_text:
        raise NoText("there is no text in the document")
    return facts


def _html(job: Job, facts: Facts) -> Iterator[str]:
    from banyan.adapters.encodings import Recoder  # noqa: PLC0415  # below the limits
    from banyan.adapters.extraction import html  # noqa: PLC0415

    with Path(job["source"]).open("rb") as source:
        charset = job["charset"] or html.declared_charset(source.read(_HEAD_BYTES))
        source.seek(0)
        recoder = Recoder(charset)

        def blocks() -> Iterator[bytes]:
            while block := source.read(_BLOCK_BYTES):
                yield recoder.feed(block)
            yield recoder.feed(b"", final=True)

        yield from html.markdown(blocks())
        facts["encoding"] = recoder.encoding


def _pdf(job: Job, facts: Facts) -> Iterator[str]:
    from banyan.adapters.extraction import pdf  # noqa: PLC0415  # below the limits

    facts["num_pages"] = facts["num_pages_without_text"] = 0
    for text in pdf.pages(Path(job["source"]), job["max_pages"]):
        if facts["num_pages"]:
            yield _PAGE_BREAK
        facts["num_pages"] += 1
        facts["num_pages_without_text"] += not text.strip()
        yield text


if __name__ == "__main__":
    sys.exit(main())
