"""Baselines: what people do today with a text that exceeds the window, on the same engine.

Each is one method in a file of its own, greedy, with the window of the service and prompts of
`prompts.py`. A text that fits is read in one call by all of them. Peers are other people's
packages on the same engine; they are run where they are installed and asked for by name.
"""

from __future__ import annotations

from banyan.errors import InvalidInput
from banyan.evaluation.baselines.baseline import Baseline
from banyan.evaluation.baselines.bm25 import bm25
from banyan.evaluation.baselines.head import head
from banyan.evaluation.baselines.head_tail import head_tail
from banyan.evaluation.baselines.job import Method
from banyan.evaluation.baselines.llama_index_tree import check_installed, llama_index_tree
from banyan.evaluation.baselines.map_reduce import map_reduce
from banyan.evaluation.baselines.refine import refine
from banyan.evaluation.question import System
from banyan.ports import Engine, Sampling

_METHODS: dict[str, Method] = {
    "head": head,
    "head_tail": head_tail,
    "refine": refine,
    "map_reduce": map_reduce,
    "bm25": bm25,
}

_PEERS: dict[str, Method] = {"llama_index_tree": llama_index_tree}

BASELINES: tuple[str, ...] = tuple(_METHODS)
PEERS: tuple[str, ...] = tuple(_PEERS)


def make_baseline(
    name: str, *, engine: Engine, window: int, frequency_penalty: float = 0.0
) -> System:
    """The baseline or peer `name`, with `window` tokens of prompt and reply together.

    `frequency_penalty` is that of the service's policy, so that all decode alike.
    Raises InvalidInput for an unknown name, AbilityMissing for a peer that is not installed.
    """
    method = (_METHODS | _PEERS).get(name)
    if method is None:
        raise InvalidInput(
            f"there is no baseline {name!r}",
            hint=f"There are: {', '.join((*BASELINES, *PEERS))}.",
        )
    if name in PEERS:
        check_installed()
    sampling = Sampling(frequency_penalty=frequency_penalty)
    return Baseline(name, method, engine=engine, window=window, sampling=sampling)


__all__ = ["BASELINES", "PEERS", "make_baseline"]
