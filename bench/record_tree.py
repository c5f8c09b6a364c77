"""Records the shapes of trees for `bench.scaling`: the prompts of each node, and its children.

    python -m bench.record_tree

Banyan itself grows them over the language reference, as `make demo` does, on the fake model server:
how a document is divided, what stands in each prompt and what is merged are real; what the model
writes is not, so that completions are left to the simulation.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from banyan.client import Client
from banyan.client.results import StreamEvent
from banyan.limits import Limits
from banyan.local.reference import load
from bench.stack import Stack

TREES = Path(__file__).with_name("trees.json")
RECORDED = (("default", 2_048), ("long", 2_048), ("long", 8_192), ("long", 16_384))
"""Document and window in tokens."""
LIMITS = Limits(max_nodes=5_000, max_tokens=50_000_000, deadline_s=3_600)
_SPAWN = "spawn:"


@dataclass(frozen=True, slots=True)
class Turn:
    """A model call of `prompt_tokens`, and how many children the node waits for after it."""

    prompt_tokens: int
    children: int


Tree = dict[str, list[Turn]]
"""Turns by the path of their node, `0` the root."""


def shape(events: Iterable[StreamEvent]) -> Tree:
    """The tree that these events tell of."""
    tree: Tree = {}
    for event in events:
        if event.type == "node.turn":
            data: dict[str, Any] = event.data
            led_to = str(data.get("led_to", ""))
            children = int(led_to.removeprefix(_SPAWN)) if led_to.startswith(_SPAWN) else 0
            tree.setdefault(data["node"], []).append(Turn(data["prompt_tokens"], children))
    return tree


def record(name: str, window: int) -> Tree:
    """Grow one tree and read its events. Raises RuntimeError where it does not complete."""
    document = load(name)
    with Stack(window=window, num_workers=1, slots=16) as stack, Client(stack.url) as client:
        submitted = client.submit(document.goal, texts=[document.text], limits=LIMITS)
        result = client.wait(submitted.id)
        if result.status != "completed":
            raise RuntimeError(f"{name} at {window} ended as {result.status}")
        return shape(client.stream(submitted.id))


def read(path: Path = TREES) -> dict[str, Tree]:
    """Recorded trees by their names."""
    return {
        name: {node: [Turn(*turn) for turn in turns] for node, turns in tree.items()}
        for name, tree in json.loads(path.read_text(encoding="utf-8")).items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Record those trees that are missing in a file.")
    parser.add_argument("--out", type=Path, default=TREES)
    out: Path = parser.parse_args().out
    trees = json.loads(out.read_text(encoding="utf-8")) if out.exists() else {}
    for name, window in RECORDED:
        if f"{name}-{window}" in trees:
            continue
        tree = record(name, window)
        turns = {node: [[t.prompt_tokens, t.children] for t in of] for node, of in tree.items()}
        trees[f"{name}-{window}"] = turns
        out.write_text(json.dumps(trees, separators=(",", ":")) + "\n", encoding="utf-8")
        print(f"{name} at {window}: {len(tree)} nodes, {sum(map(len, tree.values()))} calls")


if __name__ == "__main__":
    main()
