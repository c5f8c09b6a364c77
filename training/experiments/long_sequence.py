"""`long_sequence`: a question over a text of five windows, three levels of halves above them."""

from __future__ import annotations

from training.environments.long_sequence import LongSequence
from training.experiments.comparison import Comparison
from training.experiments.experiment import Experiment
from training.experiments.versus import Versus

LEVELS = 4

LONG_SEQUENCE = Experiment(
    name="long_sequence",
    title="Long sequence: 80 tokens on a window of 16, as 10,000 are on 2,048",
    claim="a single agent overflows, a recursive one solves it with 3 levels, 1.8x faster than"
    " going through it in sequence",
    comparison=Comparison(
        environment=LongSequence(num_tokens_at_1=10, num_view_tokens=16, mark_share=0.1),
        train_difficulties=(1, 2, 3),
        eval_difficulties=(1, 2, 3, LEVELS),
        curve_difficulties=(3, LEVELS),
        enough_skill=0.99,
    ),
    find=Versus(
        difficulty=LEVELS,
        where="Five windows, gate threshold, after RL on up to two and a half",
        claimed=0.9,
        claimed_speed_up=1.8,
        notes=[
            "The text is to the window what 10,000 tokens are to 2,048; all of it is smaller.",
            "`never` is the overflow: whoever does not divide sees the first window alone.",
            "No success is claimed but that it is solved; 90 % is taken for that.",
            "What fits the window is read; dividing everything is three levels of halves.",
            "One answer of ten is right by chance, and more where few digits are marked.",
        ],
    ).find,
)
