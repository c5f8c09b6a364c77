"""Completion in the shell itself: the script that `banyan` prints, and what it then offers."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from tests.cli.commands import BIN, environment

BASH = shutil.which("bash")

# What bash does when a person presses Tab: it fills these variables, and calls the function that
# `complete` has named for the command.
COMPLETE = """
eval "$(banyan --show-completion)"
[[ $(complete -p banyan) =~ -F\\ ([^ ]+) ]] || exit 9
COMP_WORDS=("$@")
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
"${BASH_REMATCH[1]}" banyan
printf '%s\\n' "${COMPREPLY[@]}"
"""


def completed(*words: str) -> list[str]:
    """What bash offers behind `words`, the last of which is not finished."""
    assert BASH is not None
    done = subprocess.run(  # noqa: S603 - our own command
        [BASH, "--norc", "-c", COMPLETE, "bash", *words],
        env=environment({"PATH": f"{BIN}:/usr/bin:/bin"}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.mark.skipif(BASH is None, reason="no bash")
@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (("banyan", "ca"), ["cancel"]),
        (("banyan", "solve", "--fo"), ["--follow"]),
        (("banyan", "keys", "cr"), ["create"]),
        (("banyan", "list", "--status", "can"), ["cancelled"]),
    ],
    ids=["command", "option", "command of a group", "value"],
)
def test_bash_completes(words: tuple[str, ...], offered: list[str]) -> None:
    assert completed(*words) == offered
