"""Completion in shells, as typer writes it, but for zsh: there the first Tab has to complete, too.

zsh loads the script when Tab is pressed for the first time, and takes what the script then offers.
Typer's only defines what later ones call, so that a person who tries it sees nothing.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import typer

# zsh calls the script as a function of its file's name; who sources it is offered nothing.
_AT_ONCE = """

if [[ $funcstack[1] == _banyan ]]; then
  _banyan_completion "$@"
fi
"""
_OF_ZSH = "#compdef"
"""What its script begins with, and no other."""


def complete_at_once(command: Any) -> None:
    """Let the two options that typer adds to a program give zsh a script that does so."""
    for parameter in command.params:
        if "--install-completion" in parameter.opts:
            parameter.callback = _installing(parameter.callback)
        elif "--show-completion" in parameter.opts:
            parameter.callback = _showing(parameter.callback)


Callback = Callable[[typer.Context, Any, Any], Any]
"""Called with the option and its value; ends the program where there is a value."""


def _installing(install: Callback) -> Callback:
    def call(ctx: typer.Context, option: Any, value: Any) -> Any:
        try:
            return install(ctx, option, value)
        finally:
            script = Path.home() / ".zfunc" / "_banyan"
            if value and script.exists() and _AT_ONCE not in script.read_text():
                script.write_text(script.read_text() + _AT_ONCE)

    return call


def _showing(show: Callback) -> Callback:
    def call(ctx: typer.Context, option: Any, value: Any) -> Any:
        shown = io.StringIO()
        try:
            with contextlib.redirect_stdout(shown):
                return show(ctx, option, value)
        finally:
            script = shown.getvalue().rstrip()
            if script:
                typer.echo(script + (_AT_ONCE if script.startswith(_OF_ZSH) else ""))

    return call
