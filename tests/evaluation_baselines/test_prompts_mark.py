"""New words of a baseline are new answers."""

from __future__ import annotations

from dataclasses import replace

from banyan.evaluation.baselines import make_baseline, prompts
from banyan.evaluation.baselines.prompts_mark import mark_of, prompts_mark
from banyan.testing import ScriptedEngine


def test_a_baseline_names_its_prompts_and_its_sampling() -> None:
    one = make_baseline("head", engine=ScriptedEngine(), window=512, frequency_penalty=0.4)
    assert one.settings == {"prompts": prompts_mark(), "frequency_penalty": 0.4}


def test_another_word_is_another_mark() -> None:
    said = prompts.part("T", "G")
    other = (said[0], replace(said[1], content=said[1].content.replace("facts", "names")))
    assert mark_of([said]) == mark_of([prompts.part("T", "G")])
    assert mark_of([said]) != mark_of([other])
