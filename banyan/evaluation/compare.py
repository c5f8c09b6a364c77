"""Compare: runs of one set beside each other, over the items that all of them answered.

A run may be another model, window, gate or state of the code: what is the same is the items. The
first run is what the others are compared with, item by item.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from banyan.evaluation.errors import Unknown
from banyan.evaluation.past import Past, read_past
from banyan.evaluation.sets import measure_of
from banyan.evaluation.summary import Summary, summarise

_LEAST_RUNS = 2


def compare(name: str, runs: Sequence[str], *, seed: int = 0) -> Summary:
    """A summary whose systems are the runs, each `FOLDER` or `FOLDER:SYSTEM`.

    Raises Missing for a run without answers, Unknown for a name that is none, for fewer than two
    runs, and where no item was answered by all.
    """
    if len(set(runs)) < _LEAST_RUNS:
        raise Unknown("there is nothing to compare", hint="Give two runs, FOLDER or FOLDER:SYSTEM.")
    pasts = [_past(run, name, label) for run, label in _labels(list(dict.fromkeys(runs))).items()]
    shared = set.intersection(*({record.item for record in past.records} for past in pasts))
    if not shared:
        raise Unknown(
            f"no item of {name} was answered by all runs", hint="Take the same --seed and --limit."
        )
    records = [
        record.model_copy(update={"system": past.label})
        for past in pasts
        for record in past.records
        if record.item in shared
    ]
    measure = replace(measure_of(name), reference=pasts[0].label)
    notes = tuple(_note(past, len(shared)) for past in pasts)
    return summarise(name, records, seed=seed, measure=measure, notes=notes)


def _labels(runs: Sequence[str]) -> dict[str, str]:
    """Each run's name in the table: its folder's own name, where that tells the runs apart."""
    short = [run.rstrip("/").rpartition("/")[2] for run in runs]
    unique = len(set(short)) == len(runs)
    return dict(zip(runs, short if unique else runs, strict=True))


def _past(run: str, name: str, label: str) -> Past:
    folder, _, system = run.partition(":")
    return read_past(Path(folder), name, system or None, label=label)


def _note(past: Past, num_shared: int) -> str:
    settings = ", ".join(f"{key} {value}" for key, value in past.records[-1].settings.items())
    left_out = len(past.records) - num_shared
    said = [f"{past.label}: {past.records[-1].system}, {settings}"]
    if left_out:
        said.append(f"{left_out} items that not all runs have are left out")
    if past.num_others:
        said.append(f"{past.num_others} answers under other settings are left out")
    return "; ".join(said)
