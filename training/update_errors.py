"""What keeps an update from being made, beside what is wrong with its log.

TrainingError
├── NothingToTrain     no tree may train, or none of their rows
├── NoModel            not there, no model, or one without the letters of the kinds
├── WrongModel         the log was written by another model than the one that is trained
├── NewerRows          the log was written by a later version than the parent
├── VersionExists      the directory to write is there already
├── RunExists          an update was begun there; it can be resumed
└── OtherRun           the one that was begun there has other data or settings
"""

from __future__ import annotations

from training.errors import TrainingError


class NothingToTrain(TrainingError):
    code = "nothing_to_train"
    hint = "`banyan-train data stats` counts what is there and says why it may not train."


class NoModel(TrainingError):
    code = "no_model"
    hint = "Give the folder of a model as transformers writes it, with its tokenizer.json."


class WrongModel(TrainingError):
    code = "wrong_model"
    hint = "Give the weights that wrote the log, or raise --max-gap if you know why they differ."


class NewerRows(TrainingError):
    code = "newer_rows"
    hint = "Name the version of --model with --parent, for example --parent policy-v7."


class VersionExists(TrainingError):
    code = "version_exists"
    hint = "Choose another --out; versions never change."


class RunExists(TrainingError):
    code = "run_exists"
    hint = "Go on with --resume, or remove the folder."


class OtherRun(TrainingError):
    code = "other_run"
    hint = "Resume with the log, model and settings that it was begun with, or remove the folder."
