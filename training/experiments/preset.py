"""Preset: how large an experiment is. The same comparison at every size."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, field, replace

import msgspec

from banyan.task import GateMode
from training.experiments.errors import UnknownPreset
from training.tiny.learner import LearnerSettings
from training.tiny.model import ModelSize
from training.tiny.warmup import WarmupSettings

GENTLE = LearnerSettings(
    learning_rate=3e-4,
    entropy_weight=0.0,
    loss="ppo",
    num_updates=4,
    averaging=0.97,
)
"""For small batches: small steps, and nothing but reward that moves the words."""


@dataclass(frozen=True, slots=True)
class Preset:
    """`num_steps` are environment steps of each arm and seed: actions, over all nodes."""

    name: str
    num_steps: int
    num_seeds: int
    num_eval_tasks: int
    """For each difficulty and gate mode; the same tasks for every arm and seed."""
    num_curve_tasks: int
    curve_every_steps: int
    """How often the curve gets a point, and the run a checkpoint."""
    num_groups: int = 8
    group_size: int = 8
    """Rollouts of one task (G)."""
    size: ModelSize = field(default_factory=ModelSize)
    warmup: WarmupSettings = field(default_factory=WarmupSettings)
    learner: LearnerSettings = field(default_factory=LearnerSettings)
    gate: GateMode = "sampled"
    has_curriculum: bool = False
    """Both set by the arm, as its own learner is."""

    @property
    def fingerprint(self) -> str:
        """Of all that a run depends on, but for how far and how often it goes."""
        told = replace(self, num_steps=0, num_seeds=0)
        return hashlib.sha256(msgspec.json.encode(asdict(told), order="sorted")).hexdigest()[:16]


PRESETS = {
    preset.name: preset
    for preset in (
        Preset(
            name="cpu",
            num_steps=200_000,
            num_seeds=5,
            num_eval_tasks=200,
            num_curve_tasks=50,
            curve_every_steps=10_000,
        ),
        Preset(  # for a GPU: a model of 3 M parameters, waves of 512 trees
            name="gpu",
            num_steps=400_000,
            num_seeds=5,
            num_eval_tasks=200,
            num_curve_tasks=50,
            curve_every_steps=20_000,
            num_groups=64,
            size=ModelSize(width=256, num_layers=4, num_heads=8),
            warmup=WarmupSettings(num_solved=256, num_shown=64, learning_rate=1e-3),
            learner=LearnerSettings(learning_rate=2e-4),
        ),
        Preset(  # one run of a few minutes, to see that it works
            name="small",
            num_steps=30_000,
            num_seeds=1,
            num_eval_tasks=100,
            num_curve_tasks=30,
            curve_every_steps=3_000,
        ),
        Preset(  # a model of 30,000 parameters, many small updates: a minute of one processor
            name="quick",
            num_steps=20_000,
            num_seeds=3,
            num_eval_tasks=40,
            num_curve_tasks=20,
            curve_every_steps=4_000,
            num_groups=4,
            group_size=4,
            size=ModelSize(width=32, max_tokens=48),
            warmup=WarmupSettings(look_every=40, close=0.0, num_solved=64),
            learner=GENTLE,
        ),
        Preset(  # seconds: for tests
            name="smoke",
            num_steps=200,
            num_seeds=1,
            num_eval_tasks=4,
            num_curve_tasks=2,
            curve_every_steps=100,
            num_groups=2,
            group_size=2,
            size=ModelSize(width=16, num_layers=1, num_heads=2),
            warmup=WarmupSettings(max_updates=3, num_solved=8, num_shown=4),
        ),
    )
}


def preset(name: str) -> Preset:
    """Raises UnknownPreset."""
    try:
        return PRESETS[name]
    except KeyError:
        raise UnknownPreset(
            f"no preset is called {name!r}", hint=f"There are {', '.join(PRESETS)}."
        ) from None
