"""Shells as people have them: completion is installed, a new one is started, and Tab pressed."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
from pathlib import Path

from tests.cli.commands import BIN, environment

_PATIENCE_S = 60.0
_PROMPT, _SHOW = "ready> ", "\x18"  # Ctrl-X

# Ctrl-X writes the line as it stands. Completion has ended by then: line editors do one thing at a
# time.
_RC = {
    "bash": f'PS1=\'{_PROMPT}\'\nbind -x \'"\\C-x": printf "<%s>\\n" "$READLINE_LINE"\'\n',
    "zsh": f"PS1='{_PROMPT}'\nshow() {{ print -r -- \"<$BUFFER>\" }}\n"
    "zle -N show\nbindkey '^X' show\n",
}


def install(shell: Path, home: Path) -> None:
    """Give that shell the line `banyan --install-completion`, as a person with this home."""
    subprocess.run(  # noqa: S603 - our own command
        [shell],
        input=b"banyan --install-completion\n",
        env=_environment(home),
        check=True,
        capture_output=True,
    )


def completed(shell: Path, home: Path, line: str) -> str:
    """What the line is once Tab was pressed at its end, in a shell that was just started."""
    if shell.name == "fish":
        return _asked(shell, home, line)
    rc = home / f".{shell.name}rc"
    if _PROMPT not in rc.read_text():
        rc.write_text(rc.read_text() + _RC[shell.name])
    return _typed(shell, home, line)


def _asked(shell: Path, home: Path, line: str) -> str:
    """fish tells what Tab would offer: a word, and what it means behind a tab, a line each."""
    done = subprocess.run(  # noqa: S603 - our own command
        [shell, "-c", f"complete --do-complete '{line}'"],
        env=_environment(home),
        check=True,
        capture_output=True,
        text=True,
    )
    [offered] = [one.split("\t")[0] for one in done.stdout.splitlines()]
    return " ".join([*line.split(" ")[:-1], offered])


def _typed(shell: Path, home: Path, line: str) -> str:
    screen, keyboard = pty.openpty()
    with subprocess.Popen(  # noqa: S603 - our own command
        [shell, "-i"],
        env=_environment(home),
        stdin=keyboard,
        stdout=keyboard,
        stderr=keyboard,
        start_new_session=True,
    ) as process:
        os.close(keyboard)
        try:
            _read_until(screen, f"({_PROMPT})")
            os.write(screen, f"{line}\t{_SHOW}".encode())
            line = _read_until(screen, "<([^<>]*)>")
        finally:
            process.kill()
            process.wait()
            os.close(screen)
    return line.rstrip()


def _read_until(screen: int, pattern: str) -> str:
    """Read what is shown until the pattern is in it; its group."""
    seen = ""
    while (found := re.search(pattern, seen)) is None:
        ready, _, _ = select.select([screen], [], [], _PATIENCE_S)
        assert ready, f"the shell fell silent behind {seen!r}"
        seen += os.read(screen, 4096).decode()
    return str(found[1])


def _environment(home: Path) -> dict[str, str]:
    return environment({"HOME": str(home), "PATH": f"{BIN}:/usr/bin:/bin", "TERM": "dumb"})
