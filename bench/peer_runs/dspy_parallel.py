"""dspy: `Parallel` over pairs of a `Predict` and its input, without its cache of answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import dspy

from bench.peer_runs import measuring
from bench.peer_runs.measuring import Run, Server


def predict(server: Server) -> dspy.Predict:
    """A question, an answer."""
    model = dspy.LM(
        f"openai/{server.model}",
        api_base=server.v1,
        api_key="none",
        cache=False,
        num_retries=0,
    )
    dspy.configure(lm=model, track_usage=False, disable_history=True)
    return dspy.Predict("question -> answer")


@contextmanager
def peer(server: Server) -> Iterator[Run]:
    ask = predict(server)
    parallel = dspy.Parallel(num_threads=server.width, disable_progress_bar=True)

    def run(num_children: int) -> Sequence[str]:
        ask(question=measuring.ROOT_PROMPT)
        prompts = map(measuring.child_prompt, range(num_children))
        replies = parallel([(ask, {"question": prompt}) for prompt in prompts])
        answers = [str(reply.answer) for reply in replies]
        ask(question=measuring.merge_prompt(answers))
        return answers

    yield run


if __name__ == "__main__":
    measuring.main(peer)
