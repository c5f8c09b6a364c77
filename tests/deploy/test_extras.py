"""An image holds what its program imports: the extras ask for it, and not just the tests' own."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import packages_distributions, requires

import pytest
from packaging.requirements import Requirement

from banyan.client.main import Commands
from banyan.local import programs
from tests.deploy import importing
from tests.deploy.image_steps import DOCKERFILE, stages

_BOTH = (
    *("kombu.transport.redis", "banyan.adapters.opentelemetry_traces"),
    "opentelemetry.exporter.otlp.proto.http.trace_exporter",
    *("banyan.bounded_schema", "banyan.enforced"),
    *("banyan.adapters.bucket_blobs", "banyan.adapters.trajectory_bucket"),
)
"""A broker's transport, traces where somebody collects them, answers by a schema, and buckets."""

IMPORTED = {
    "service": (
        *("service.main", *_BOTH),
        *("service.answer_schema", "banyan.adapters.policy_file", "charset_normalizer", "httpx"),
        *("banyan.adapters.extraction.html", "banyan.adapters.extraction.pdf"),
        *("banyan.client.sdk", "banyan.client.async_sdk", "banyan.client.main"),
        *(command.module for command in Commands.table.values()),
        *("banyan.local.first_key", "banyan.local.checks", "service.auth.oidc"),
    ),
    "worker": ("workers.main", "banyan.adapters.pinned_post", "banyan.open_lists", *_BOTH),
    "trainer": (
        *("training.main", "training.online.command", "training.credit_lines"),
        *("banyan.adapters.object_store", "banyan.adapters.trajectory_bucket"),
        *("banyan.client.sdk", "banyan.bounded_schema", "banyan.enforced", "banyan.open_lists"),
    ),
}
"""What an image's program imports at the start and later, wherever it may get to in it."""

_OF_TORCH = ("critic", "experiments.", "load_policy", "loss", "parquet", "trainer", "update")
ELSEWHERE = {
    "service": ("banyan.evaluation.", "banyan.local.", "gguf"),
    "worker": (),
    "trainer": tuple(f"training.{name}" for name in _OF_TORCH),
}
"""What an image does without: the extras `eval` and `local`, and what runs in /opt/training."""


def installed(extras: set[str]) -> set[str]:
    """Distributions that come with `banyan-serve[extras]`, in the form of their canonical names."""
    found: set[str] = set()
    waiting = [("banyan-serve", frozenset(extras))]
    seen = set(waiting)
    while waiting:
        name, wanted = waiting.pop()
        found.add(canonical(name))
        for line in requires(name) or []:
            asked = Requirement(line)
            environments = [{"extra": extra} for extra in (*wanted, "")]
            if asked.marker and not any(asked.marker.evaluate(one) for one in environments):
                continue
            item = (asked.name, frozenset(asked.extras))
            if item not in seen:
                seen.add(item)
                waiting.append(item)
    return found


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.parametrize("target", sorted(IMPORTED))
def test_what_a_program_imports_is_in_its_image(target: str) -> None:
    runs = "\n".join(
        step.rest for step in stages(DOCKERFILE.read_text("utf-8"))[f"build-{target}"].steps
    )
    [asked] = re.findall(r"service\.lock -r pyproject\.toml((?: --extra [a-z]+)+)", runs)
    there = installed(set(re.findall(r"--extra ([a-z]+)", asked)))
    absent = [
        module
        for module, names in packages_distributions().items()
        if not {canonical(name) for name in names} & there
    ]
    assert len(absent) > 50, "the tests' own environment has much more"
    done = subprocess.run(  # noqa: S603  # our own command line, no shell
        [sys.executable, "-P", "-m", importing.__name__, ",".join(absent), *IMPORTED[target]],
        env=programs.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    later = [one for one in done.stdout.split() if not one.startswith(ELSEWHERE[target])]
    assert later == [], "imported later: is it in the image, or in none?"
