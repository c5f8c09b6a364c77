"""Credit of a million nodes: the formulas alone, and the whole command from file to lines.

    python -m bench.credit                 1,000,000 nodes; the limit is 5 s

Trees have random shapes, 8 to a group, and their lines are shuffled.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from training import credit, credit_lines, forests, node_lines

LIMIT_S = 5.0
GROUP_TREES = 8


def write_trees(path: Path, num_nodes: int, tree_nodes: int, seed: int) -> None:
    """JSONL of random trees: each node's parent is any earlier node of its tree."""
    rng = np.random.default_rng(seed)
    place = np.arange(num_nodes) % tree_nodes
    parent = np.where(place > 0, (rng.random(num_nodes) * place).astype(np.int64), -1)
    first = np.arange(num_nodes) - place
    depth = np.zeros(num_nodes, dtype=np.int64)
    for level in range(1, tree_nodes):  # place by place: parents stand before their children
        at = np.flatnonzero(place == level)
        depth[at] = depth[first[at] + parent[at]] + 1
    success = rng.random(num_nodes)
    columns = zip(place.tolist(), parent.tolist(), depth.tolist(), success.tolist(), strict=True)
    lines = [
        json.dumps(
            {
                "tree_id": f"tree_{n // tree_nodes}",
                "group_id": f"group_{n // tree_nodes // GROUP_TREES}",
                "node_id": f"n{node}",
                "parent_id": None if up < 0 else f"n{up}",
                "depth": level,
                "success": {"value": value, "source": "exact"},
            }
        )
        for n, (node, up, level, value) in enumerate(columns)
    ]
    order = rng.permutation(num_nodes).tolist()
    path.write_text("\n".join(lines[n] for n in order) + "\n", encoding="utf-8")


def main() -> int:
    """Print one line a repetition; 1 where the whole command was over the limit every time."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--nodes", type=int, default=1_000_000)
    parser.add_argument("--tree-nodes", type=int, default=125)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    best_s = float("inf")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trees.jsonl"
        write_trees(path, options.nodes, options.tree_nodes, options.seed)
        print(f"{options.nodes} nodes, {path.stat().st_size / 1e6:.0f} MB")
        print("formulas s  read s  check s  whole s  its CPU s")
        for _ in range(options.repeat):
            began = time.perf_counter()
            lines = node_lines.read(str(path))
            read = time.perf_counter()
            forest = forests.grow(lines).forest
            grown = time.perf_counter()
            credit.assign(forest, lambda_=0.4)
            computed = time.perf_counter()
            del lines, forest
            start, cpu_s = time.perf_counter(), time.process_time()
            result = credit_lines.credit_of(str(path), lambda_=0.4, baseline="root")
            num_bytes = sum(len(block) for block in result.encoded())
            whole_s = time.perf_counter() - start
            cpu_s = time.process_time() - cpu_s
            best_s = min(best_s, whole_s)
            print(
                f"{computed - grown:10.2f}  {read - began:6.2f}  {grown - read:7.2f}  "
                f"{whole_s:7.2f}  {cpu_s:9.2f}  ({num_bytes / 1e6:.0f} MB written)"
            )
            del result
    return int(best_s > LIMIT_S)


if __name__ == "__main__":
    sys.exit(main())
