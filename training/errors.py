"""Why trees cannot be trained on. An error about a file's content says which file and line.

BanyanError
└── TrainingError
    ├── UnreadableFile        not there, no text, or compressed and cut short
    ├── NoNodes               nothing in it
    └── RecordError           one line; `file` and `line` say which
        ├── MalformedRecord   no JSON object, or a field is missing or of another type
        ├── BadSuccess        NaN, outside [0, 1], or none at a root
        ├── DuplicateNode     the same id twice in a tree
        ├── OrphanedNode      its parent is not in the tree
        ├── CyclicNodes       its ancestors lead back to itself
        ├── SeveralRoots      a second node without a parent
        ├── BadDepth          not one more than its parent's, or a root's that is not 0
        ├── MixedGroups       nodes of one tree name different groups
        ├── NoGroup           the tree belongs to no group
        └── SingleTreeGroup   nothing to compare the tree with, and no value baseline
"""

from __future__ import annotations

from banyan.errors import BanyanError


class TrainingError(BanyanError):
    code = "training_error"


class UnreadableFile(TrainingError):
    code = "unreadable_file"
    hint = "Give a JSONL file, plain or compressed with zstd, or - for standard input."


class NoNodes(TrainingError):
    code = "no_nodes"
    hint = "Give a file with at least two trees of one group."


class BadTurn(TrainingError):
    code = "bad_turn"
    hint = "The record is damaged, or the engine gave no log-probabilities: leave the tree out."


class NotFinite(TrainingError):
    code = "not_finite"
    hint = (
        "Lower the learning rate if they are the trainer's; leave the row out if they are logged."
    )


class RecordError(TrainingError):
    """`line` counts from 1."""

    def __init__(self, message: str, *, file: str, line: int) -> None:
        super().__init__(f"{file}:{line}: {message}")
        self.file = file
        self.line = line


class MalformedRecord(RecordError):
    code = "malformed_record"
    hint = (
        "A line is a JSON object with tree_id, group_id, node_id, parent_id, depth and "
        '"success": {"value": number or null}.'
    )


class BadSuccess(RecordError):
    code = "bad_success"
    hint = "Success is a number from 0 to 1; null takes the root's, which must have one."


class DuplicateNode(RecordError):
    code = "duplicate_node"
    hint = "Keep one record a node; a tree that was resumed has one file a generation."


class OrphanedNode(RecordError):
    code = "orphaned_node"
    hint = "The tree is not complete: leave all of it out, or add the parent's record."


class CyclicNodes(RecordError):
    code = "cyclic_nodes"
    hint = "Every node must lead to a root by parent_id."


class SeveralRoots(RecordError):
    code = "several_roots"
    hint = "A tree has one node whose parent_id is null."


class BadDepth(RecordError):
    code = "bad_depth"
    hint = "A root's depth is 0, a child's is one more than its parent's."


class MixedGroups(RecordError):
    code = "mixed_groups"
    hint = "All nodes of a tree carry the same group_id."


class NoGroup(RecordError):
    code = "no_group"
    hint = "Roll the task out several times under one group_id, or leave the tree out."


class SingleTreeGroup(RecordError):
    code = "single_tree_group"
    hint = "Roll the task out at least twice, leave the tree out, or train with a value baseline."
