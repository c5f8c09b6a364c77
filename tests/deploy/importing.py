"""Imports modules where some distributions are not to be had, and tells what else they import.

    python -m tests.deploy.importing ABSENT,ABSENT MODULE MODULE

Printed are the modules that are imported in functions of ours, and were not imported yet: a line
each, those that load a command line's commands included.
"""

from __future__ import annotations

import ast
import importlib
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[2]
OURS = ("banyan", "service", "training", "workers")


class Elsewhere:
    """A finder of modules that finds none of those in `absent`."""

    def __init__(self, absent: set[str]) -> None:
        self._absent = absent

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        """Raises ModuleNotFoundError."""
        del path, target
        if name.partition(".")[0] in self._absent:
            raise ModuleNotFoundError(f"{name} is not in the image", name=name)


def imported_later(file: Path) -> Iterator[str]:
    """Modules that functions of a file import, and those that commands are loaded from."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            for node in ast.walk(function):
                if isinstance(node, ast.Import):
                    yield from (alias.name for alias in node.names)
                elif isinstance(node, ast.ImportFrom) and node.module:
                    yield from (_module(node.module, alias.name) for alias in node.names)
        elif isinstance(function, ast.Call) and ast.unparse(function.func) == "Lazy":
            yield ast.literal_eval(function.args[0])


def _module(package: str, name: str) -> str:
    """Of `from package import name`."""
    there = (ROOT / package.replace(".", "/") / f"{name}.py").exists()
    return f"{package}.{name}" if there else package


def _is_ours(name: str, module: ModuleType) -> bool:
    return name.partition(".")[0] in OURS and bool(getattr(module, "__file__", None))


def main(absent: str, names: Sequence[str]) -> None:
    """Import them. Raises ModuleNotFoundError."""
    sys.meta_path.insert(0, Elsewhere(set(absent.split(","))))
    for name in names:
        importlib.import_module(name)
    files = [one.__file__ for name, one in [*sys.modules.items()] if _is_ours(name, one)]
    later = {name for file in files if file for name in imported_later(Path(file))}
    sys.stdout.write("\n".join(sorted(later - sys.modules.keys())))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
