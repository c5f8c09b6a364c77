"""inspect_ai: a task of two samples, one of them right, on the provider `openai`."""

from __future__ import annotations

import json
import sys

from inspect_ai import Task, eval  # noqa: A004  # its name there
from inspect_ai.dataset import Sample
from inspect_ai.scorer import includes
from inspect_ai.solver import generate, system_message


def main(url: str, log_dir: str) -> None:
    """Print status, accuracy and usage as one JSON object."""
    task = Task(
        dataset=[
            Sample(input="Is it ok?", target="ok"),
            Sample(input="Is it a fig?", target="fig"),
        ],
        solver=[system_message("Answer in one sentence."), generate()],
        scorer=includes(),
    )
    [log] = eval(
        task,
        model="openai/banyan",
        model_base_url=url,
        model_args={"api_key": "none", "responses_api": False},
        log_dir=log_dir,
        display="none",
    )
    scores = log.results.scores if log.results else []
    said = {
        "status": log.status,
        "error": log.error.message if log.error else None,
        "accuracy": scores[0].metrics["accuracy"].value if scores else None,
        "input_tokens": sum(usage.input_tokens for usage in log.stats.model_usage.values()),
    }
    sys.stdout.write(json.dumps(said) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
