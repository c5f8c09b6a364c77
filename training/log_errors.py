"""What is wrong with a file of the trajectory log, beside what `training/errors.py` has.

RecordError
├── ForeignRecord     not written by Banyan's log
├── NewerRecord       written by a later version of it
├── BadLogprob        NaN, infinite or missing where a number belongs
├── LengthsDisagree   token ids, log-probabilities and masks are not of one length
├── MissingNodes      fewer or more records than the tree says it has
├── EmptyGroup        a group without a name, or a rollout without a group
└── BadFeedback       a line of feedback that is none, or was cut off
"""

from __future__ import annotations

from training.errors import RecordError


class ForeignRecord(RecordError):
    code = "foreign_record"
    hint = "Give the folder of a trajectory log, or a file of one."


class NewerRecord(RecordError):
    code = "newer_record"
    hint = "Upgrade to the version that wrote this log."


class BadLogprob(RecordError):
    code = "bad_logprob"
    hint = "The engine gave no number; leave the tree out, and check the engine."


class LengthsDisagree(RecordError):
    code = "lengths_disagree"
    hint = "The record is damaged: leave the tree out."


class MissingNodes(RecordError):
    code = "missing_nodes"
    hint = "The file was cut short: leave the tree out."


class EmptyGroup(RecordError):
    code = "empty_group"
    hint = "Rollouts carry the name of their group."


class BadFeedback(RecordError):
    code = "bad_feedback"
    hint = "A line that a crash cut off can be removed; all others are intact."
