"""Programs that are configured by variables alone take no arguments, and say so."""

from __future__ import annotations

import pytest

from banyan.no_arguments import take_none


def test_help_says_what_a_program_is_for_and_how_it_is_configured(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as ended:
        take_none("python -m service", "Answers requests.", ["--help"])
    assert ended.value.code == 0
    told = capsys.readouterr().out
    assert "Answers requests." in told
    assert "BANYAN_" in told


def test_other_arguments_are_refused_and_not_ignored(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        take_none("python -m workers", "Runs nodes.", ["--slots=4"])
    assert ended.value.code == 2
    assert "--slots=4" in capsys.readouterr().err


def test_without_arguments_a_program_goes_on() -> None:
    take_none("python -m service", "Answers requests.", [])
