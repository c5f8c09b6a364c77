"""Summarise a document of any length, and watch how far it is.

Start a service with `banyan up`, then: python examples/summarize.py LICENSE
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from banyan.client import Client


def main(file: str) -> None:
    with Client(os.environ.get("BANYAN_URL", "http://127.0.0.1:8080")) as banyan:
        document = banyan.upload(Path(file))
        solve = banyan.submit("Summarise this document.", documents=[document])
        done = 0
        for event in banyan.stream(solve.id):
            done += event.type == "node.finished"
            print(f"\r{done} nodes finished", end="", file=sys.stderr)
        result = banyan.wait(solve.id)

    print(f"\n{result.answer}\n")
    for citation in result.citations:
        print(f"[{citation.start}:{citation.end}] {citation.quote[:80]!r}")


if __name__ == "__main__":
    main(*sys.argv[1:])
