"""Lazy: commands that are imported when they are called, so that the others start at once.

A command is named with its one line of help; whoever lists the commands needs no more of them.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import typer
from typer.core import TyperGroup

from banyan.client.exits import EXIT_CODES_HELP


@dataclass(frozen=True, slots=True)
class Lazy:
    """`attribute` of `module` is a function, or a Typer with commands of its own."""

    module: str
    attribute: str
    help: str

    def load(self, name: str) -> Any:
        """The command, as Typer makes it."""
        found = getattr(importlib.import_module(self.module), self.attribute)
        if isinstance(found, typer.Typer):
            command = typer.main.get_command(found)
        else:
            app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
            app.command(name, epilog=EXIT_CODES_HELP)(found)
            command = typer.main.get_command(app)
        command.name = name
        return command


class LazyGroup(TyperGroup):
    """The commands of `table`. Those that are listed are known by their help alone."""

    table: ClassVar[Mapping[str, Lazy]] = {}

    def list_commands(self, ctx: Any) -> list[str]:
        """All of them, in the order of the table."""
        del ctx
        return list(self.table)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """What help and completion say of a command; None where there is none of this name."""
        del ctx
        found = self.table.get(cmd_name)
        if found is None:
            return None
        app = typer.Typer(add_completion=False, rich_markup_mode=None)
        app.command(cmd_name, help=found.help)(_nothing)
        return typer.main.get_command(app)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that `args` call, loaded."""
        name, command, rest = super().resolve_command(ctx, args)
        if name is not None and command is not None:
            command = self.table[name].load(name)
        return name, command, rest


def _nothing() -> None:
    """Stands for a command that is only listed."""
