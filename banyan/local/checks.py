"""Checks: what this machine has of what Banyan needs, and how to get the rest."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version

from banyan.local import engine_env, redis_choice, weights
from banyan.local.check import Check
from banyan.local.errors import Missing
from banyan.local.options import DEFAULT_PORT
from banyan.local.policy_checks import check_policies
from banyan.local.ports import is_free
from banyan.local.probes import is_up
from banyan.settings import Settings

_PYTHON = (3, 11)
_SETUP = "Run `make setup` in a clone, or: pip install 'banyan-serve[local]'"


def all_checks(*, port: int = DEFAULT_PORT, url: str | None = None) -> list[Check]:
    """Everything, in the order in which `banyan up` needs it."""
    return [
        check_python(),
        check_redis(os.environ),
        check_package("xllamacpp", "embedded engine"),
        check_weights(),
        check_vllm(os.environ),
        *check_policies(Settings()),
        check_port(port),
        check_service(url or f"http://127.0.0.1:{port}"),
    ]


def check_python() -> Check:
    """The interpreter that runs this."""
    found = ".".join(str(part) for part in sys.version_info[:3])
    if sys.version_info >= _PYTHON:
        return Check("python", "ok", f"{found} at {sys.executable}")
    return Check("python", "missing", f"{found} is too old", "Install Python 3.11 or newer.")


def check_redis(environ: Mapping[str, str]) -> Check:
    """REDIS_URL, a server on PATH, or the embedded one."""
    try:
        plan = redis_choice.choose(environ)
    except Missing as error:
        return Check("redis", "missing", str(error), error.hint)
    return Check("redis", "ok", f"{plan.title}: {plan.binary or plan.shown_url}")


def check_package(package: str, name: str) -> Check:
    """A Python package of the embedded parts."""
    if importlib.util.find_spec(package) is None:
        return Check(name, "missing", f"the package {package} is not installed", _SETUP)
    try:
        return Check(name, "ok", f"{package} {version(package)}")
    except PackageNotFoundError:
        return Check(name, "ok", package)


def check_weights() -> Check:
    """The small model that the embedded engine serves by default."""
    try:
        path = weights.find_gguf()
    except weights.WeightsError as error:
        return Check("model", "missing", str(error), f"{_SETUP}; or name one with --model.")
    return Check("model", "ok", f"{path.name}, {path.stat().st_size / 1e6:.0f} MB")


def check_vllm(environ: Mapping[str, str]) -> Check:
    """VLLM's own environment; not needed for the embedded engine."""
    how = "Run `banyan up --engine vllm --install-engine` (0.6 GB to download)."
    try:
        python = engine_env.find(environ)
    except (engine_env.EngineEnvironmentError, OSError) as error:
        return Check("vllm", "note", str(error), how)
    if python is None:
        return Check("vllm", "note", "its environment is not installed", how)
    return Check("vllm", "ok", str(python.parent.parent))


def check_port(port: int) -> Check:
    """The port that the service would listen on."""
    if is_free(port):
        return Check("port", "ok", f"{port} is free")
    return Check("port", "note", f"{port} is in use", "Choose another for `banyan up --port`.")


def check_service(url: str) -> Check:
    """A service that runs already."""
    if is_up(f"{url}/readyz"):
        return Check("service", "ok", f"ready at {url}")
    return Check("service", "note", f"none is ready at {url}", "Start one: `banyan up`.")
