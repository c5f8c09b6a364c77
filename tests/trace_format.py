"""The Chrome trace format, strictly: "Trace Event Format" (Google, 2016), as Perfetto imports it.

What Perfetto counts as an error or as lost data is refused here, so that tests without a browser
see it; `tests/web/test_perfetto.py` holds these rules to Perfetto itself. Its counters, in
brackets, are those of `src/trace_processor/storage/stats.h` of August 2026. Some rules are stricter
than Perfetto is, for other readers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

Entry = Mapping[str, Any]

# Fields of each phase beside `ph`, `name`, `pid` and `tid`, which all have.
_FIELDS: Mapping[str, Mapping[str, type]] = {
    "M": {"args": dict},
    "X": {"ts": int, "dur": int, "cat": str, "args": dict},
    "i": {"ts": int, "s": str, "cat": str},
    "s": {"ts": int, "id": int, "cat": str},
    "f": {"ts": int, "id": int, "cat": str, "bp": str},
}
_COMMON: Mapping[str, type] = {"name": str, "pid": int, "tid": int}
_MOST: Mapping[str, int] = {
    "pid": 2**32 - 1,  # what is above becomes 0 without a word
    "tid": 2**32 - 1,
    "ts": 2**63 // 1000 - 1,  # nanoseconds have 63 bits
    "dur": 2**63 // 1000 - 1,
    "id": 2**63 - 1,
}
_MAX_DEPTH = 512
_METADATA = {"process_name", "thread_name"}


def problems_of(trace: Mapping[str, Any]) -> list[str]:
    """Everything that a strict reader would stumble over; empty where there is nothing.

    An entry without its phase, or with a time that is no number [json_tokenizer_failure]; a slice
    without its duration, an instant of no known scope, a name that is empty or no text
    [json_parser_failure]; slices that overlap [slice_drop_overlapping_complete_event, in newer
    versions slice_spill_overlapping_complete_event] or lie too deep [slice_max_depth_exceeded];
    arrows without a number [flow_invalid_id], with one that is taken [flow_duplicate_id], in no
    slice [flow_no_enclosing_slice] or without a start [flow_end_without_start].
    """
    if trace.get("displayTimeUnit") not in {"ms", "ns"} or not trace.get("traceEvents"):
        return ["no object with traceEvents and displayTimeUnit"]
    entries: list[Entry] = trace["traceEvents"]
    shapes = [problem for entry in entries for problem in _shape(entry)]
    return shapes or [*_names(entries), *_nesting(entries), *_arrows(entries)]


def _shape(entry: Entry) -> Iterator[str]:
    fields = _FIELDS.get(str(entry.get("ph")))
    if fields is None:
        yield f"a phase that is not known: {entry}"
        return
    for name, kind in {**_COMMON, **fields}.items():
        value = entry.get(name)
        if not isinstance(value, kind) or isinstance(value, bool):
            yield f"{name} is no {kind.__name__}: {entry}"
        elif isinstance(value, int) and not 0 <= value <= _MOST[name]:
            yield f"{name} is out of range: {entry}"
        elif value == "":
            yield f"{name} is empty: {entry}"
    if entry["ph"] == "M" and entry.get("name") not in _METADATA:
        yield f"metadata that is not known: {entry}"
    if entry["ph"] == "i" and entry.get("s") not in {"g", "p", "t"}:
        yield f"an instant without a scope: {entry}"
    if entry["ph"] == "f" and entry.get("bp") != "e":
        yield f"an arrow to whatever slice comes next: {entry}"
    if entry["ph"] == "X" and entry.get("tid") in {0, entry.get("pid")}:
        yield f"a lane that is taken for its process's main thread: {entry}"


def _names(entries: list[Entry]) -> Iterator[str]:
    """Every process and lane that holds a slice has a name, and no name is empty."""
    for entry in entries:
        name = entry["args"].get("name") if entry["ph"] == "M" else "none is needed"
        if not isinstance(name, str) or not name:
            yield f"no name in {entry}"
    named = {
        (entry["pid"], entry["tid"] if entry["name"] == "thread_name" else None)
        for entry in entries
        if entry["ph"] == "M"
    }
    for entry in entries:
        if entry["ph"] == "X":
            for place in ((entry["pid"], None), (entry["pid"], entry["tid"])):
                if place not in named:
                    yield f"{place} has no name"


def _nesting(entries: list[Entry]) -> Iterator[str]:
    """Slices of one lane lie within one another or apart, and outer ones come first."""
    lanes: dict[tuple[int, int], list[Entry]] = defaultdict(list)
    for entry in entries:
        if entry["ph"] == "X":
            lanes[entry["pid"], entry["tid"]].append(entry)
    for lane, slices in lanes.items():
        open_until: list[int] = []
        for one in sorted(slices, key=lambda entry: int(entry["ts"])):  # stable, as readers are
            while open_until and open_until[-1] <= one["ts"]:
                open_until.pop()
            end = one["ts"] + one["dur"]
            if open_until and end > open_until[-1]:
                yield f"{one['name']} in {lane} reaches beyond what it is in"
            open_until.append(end)
            if len(open_until) > _MAX_DEPTH:
                yield f"{one['name']} in {lane} lies deeper than {_MAX_DEPTH} slices"


def _arrows(entries: list[Entry]) -> Iterator[str]:
    """Every arrow has one start and one end, in this order, each within a slice."""
    starts = [entry for entry in entries if entry["ph"] == "s"]
    ends = {
        (entry["cat"], entry["name"], entry["id"]): entry for entry in entries if entry["ph"] == "f"
    }
    if len({(start["cat"], start["name"], start["id"]) for start in starts}) != len(starts):
        yield "two arrows have the same number"
    if len(ends) != len(starts):
        yield f"{len(starts)} arrows start and {len(ends)} end"
    for start in starts:
        end = ends.get((start["cat"], start["name"], start["id"]))
        if end is None or end["ts"] < start["ts"]:
            yield f"arrow {start['id']} does not end behind its start"
        for place in (start, end or start):
            if not any(_holds(one, place) for one in entries):
                yield f"arrow {start['id']} is in no slice"


def _holds(entry: Entry, place: Entry) -> bool:
    return (
        entry["ph"] == "X"
        and (entry["pid"], entry["tid"]) == (place["pid"], place["tid"])
        and entry["ts"] <= place["ts"] <= entry["ts"] + entry["dur"]
    )
