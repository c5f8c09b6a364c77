"""What ends a run of the loop. A run that has ended with one of these can be resumed.

TrainingError
├── RunThere        a run was begun in this folder, and --resume was not said
├── NoRun           there is none to resume
├── OtherPlan       the run that was begun there has other settings
├── BadRun          its state cannot be read
├── NotLogged       the service's trees do not turn up in the log
├── UpdateFailed    `banyan-train update` ended with an error, which this repeats
└── NotMeasured     a version could not be evaluated
"""

from __future__ import annotations

from training.errors import TrainingError


class RunThere(TrainingError):
    code = "run_exists"
    hint = "Go on with --resume, or choose another --run."


class NoRun(TrainingError):
    code = "no_run"
    hint = "Leave --resume out to begin one."


class OtherPlan(TrainingError):
    code = "other_run"
    hint = "Resume with the settings that it was begun with; --iterations alone may grow."


class BadRun(TrainingError):
    code = "bad_run"
    hint = "Choose another --run: what was published stays published."


class NotLogged(TrainingError):
    code = "not_logged"
    hint = "Give as --log the folder that is BANYAN_TRAJECTORY_DIR of the service and workers."


class UpdateFailed(TrainingError):
    code = "update_failed"
    hint = "Correct what it says and go on with --resume."


class NotMeasured(TrainingError):
    code = "not_measured"
    hint = "Look at the log of the model server that --eval-engine names; then --resume."
