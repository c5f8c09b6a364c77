"""Feedback: what was said of nodes later, read from the log's files and joined to the records."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import get_args

import msgspec

from banyan.adapters.trajectory_folder import FEEDBACK
from banyan.feedback import FEEDBACK_FORMAT, FEEDBACK_VERSION, Feedback
from banyan.feedback_source import Source
from banyan.trajectory import LoggedNode, Success
from training.errors import RecordError, TrainingError
from training.log_errors import BadFeedback, ForeignRecord, NewerRecord
from training.records import numbered

_WEIGHT = {source: position for position, source in enumerate(get_args(Source))}
_decoder = msgspec.json.Decoder(Feedback)


@dataclass(slots=True)
class Verdicts:
    """The feedback that counts for each node: of the weightiest source the latest one."""

    num_lines: int = 0
    keys: set[str] = field(default_factory=set)
    latest: dict[tuple[str, str], Feedback] = field(default_factory=dict)

    def add(self, feedback: Feedback) -> None:
        """A key that was there before changes nothing."""
        self.num_lines += 1
        if feedback.key in self.keys:
            return
        self.keys.add(feedback.key)
        place = (feedback.tree_id, feedback.node_id)
        known = self.latest.get(place)
        if known is None or _rank(feedback) >= _rank(known):
            self.latest[place] = feedback

    def join(self, node: LoggedNode) -> LoggedNode:
        """The record with its success; what was logged with the node itself stays."""
        feedback = self.latest.get((node.tree_id, node.node_id))
        if feedback is None or node.success is not None:
            return node
        success = Success(value=feedback.value, source=feedback.source)
        return msgspec.structs.replace(node, success=success)


def read_feedback(root: Path, report: Callable[[TrainingError], None]) -> Verdicts:
    """All feedback of a log. A line that is none is reported and left out."""
    verdicts = Verdicts()
    folder = root / FEEDBACK
    for path in sorted(folder.rglob("*.jsonl")) if folder.is_dir() else ():
        try:
            for number, line in numbered(path):
                try:
                    verdicts.add(_decode(line, str(path), number))
                except RecordError as error:
                    report(error)
        except TrainingError as error:
            report(error)
    return verdicts


def _rank(feedback: Feedback) -> tuple[int, float]:
    return -_WEIGHT[feedback.source], feedback.at


def _decode(line: bytes, file: str, number: int) -> Feedback:
    try:
        feedback = _decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadFeedback(str(error), file=file, line=number) from error
    if feedback.format != FEEDBACK_FORMAT:
        raise ForeignRecord("no feedback", file=file, line=number)
    if feedback.format_version > FEEDBACK_VERSION:
        raise NewerRecord(f"feedback of version {feedback.format_version}", file=file, line=number)
    if not 0 <= feedback.value <= 1:
        raise BadFeedback(f"a success of {feedback.value}", file=file, line=number)
    return feedback
