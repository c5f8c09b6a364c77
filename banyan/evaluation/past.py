"""Past: what an earlier evaluation left behind: one system's answers, under the same settings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from banyan.evaluation.errors import Unknown
from banyan.evaluation.plan import SERVICE
from banyan.evaluation.records import Record
from banyan.local.errors import Missing


@dataclass(frozen=True, slots=True)
class Past:
    """The latest answer to each item. `num_others`: answers under other settings, left out."""

    label: str
    records: tuple[Record, ...]
    num_others: int


def read_past(folder: Path, name: str, system: str | None, *, label: str = "") -> Past:
    """The answers of `system` to the set `name`; None: of the service, or of the only one.

    Where a file holds answers under several settings, those of its last line count. Raises Missing
    or Unknown.
    """
    records = _records(folder / f"{name}.jsonl")
    systems = list(dict.fromkeys(record.system for record in records))
    chosen = system or _usual(systems)
    if chosen not in systems:
        found = f"no answers by {system!r}" if system else "answers by several systems"
        raise Unknown(
            f"{folder} has {found} to {name}",
            hint=f"Name one as {folder}:SYSTEM. Systems: {', '.join(systems)}.",
        )
    its = [record for record in records if record.system == chosen]
    same = [record for record in its if record.settings == its[-1].settings]
    latest = {record.item: record for record in same}
    return Past(label or str(folder), tuple(latest.values()), len(its) - len(same))


def _usual(systems: Sequence[str]) -> str | None:
    if SERVICE in systems:
        return SERVICE
    return systems[0] if len(systems) == 1 else None


def _records(path: Path) -> list[Record]:
    if not path.is_file():
        raise Missing(f"{path} is not there", hint="Run `banyan eval` with this --out first.")
    records = []
    for line in path.read_bytes().splitlines():
        try:
            records.append(Record.model_validate_json(line))
        except ValidationError:  # cut off, or of another version
            continue
    if not records:
        raise Missing(f"{path} holds no answers", hint="Run `banyan eval` with this --out first.")
    return records
