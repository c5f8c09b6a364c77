"""Why an experiment does not start.

TrainingError
├── UnknownExperiment
├── UnknownPreset
├── OtherRun           the folder holds a run with other settings, or one that went further
├── NoDevice           torch does not have the device that was named
└── TimeUp             it ended after the minutes that it was given, and can go on
"""

from __future__ import annotations

from training.errors import TrainingError


class UnknownExperiment(TrainingError):
    code = "unknown_experiment"


class UnknownPreset(TrainingError):
    code = "unknown_preset"


class OtherRun(TrainingError):
    code = "other_run"
    hint = "Give another --out, or remove the folder to measure anew."


class NoDevice(TrainingError):
    code = "no_device"
    hint = "Name one with --device, for example cpu."


class TimeUp(TrainingError):
    code = "time_up"
    hint = "The same command goes on from the last checkpoint."
