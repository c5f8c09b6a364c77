"""Ask a question about a file, and see where the answer stands in it.

Start a service with `banyan up`, then: python examples/solve.py README.md "What is a banyan?"
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from banyan.client import Client


def main(file: str, goal: str) -> None:
    with Client(os.environ.get("BANYAN_URL", "http://127.0.0.1:8080")) as banyan:
        document = banyan.upload(Path(file))
        result = banyan.solve(goal, documents=[document])

    print(result.status, result.answer, sep="\n")
    for citation in result.citations:
        print(f"  [{citation.start}:{citation.end}] {citation.quote[:80]!r}")
    if result.coverage is not None:
        print(f"read {result.coverage.share:.0%} of the input with {result.usage.nodes} nodes")


if __name__ == "__main__":
    main(*sys.argv[1:])
