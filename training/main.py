"""The command `banyan-train`. Training itself comes with a later release; this says so."""

from __future__ import annotations

import argparse
import sys

NOT_YET = (
    "Training commands (credit, loss, checkpoint, publish) come with the training release; "
    "this release serves, and logs the trajectories that training will read."
)


def main(argv: list[str] | None = None) -> int:
    """Exit status: 0 for `--help`, 2 for everything else, because there is nothing to run."""
    parser = argparse.ArgumentParser(prog="banyan-train", description=NOT_YET)
    parser.parse_known_args(argv)
    sys.stderr.write(f"banyan-train: {NOT_YET}\n")
    return 2
