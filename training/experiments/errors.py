"""Why an experiment does not start.

TrainingError
├── UnknownExperiment
├── UnknownPreset
└── OtherRun           the folder holds a run with other settings, or one that went further
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
