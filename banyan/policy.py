"""Policy: a version of the weights, and what is published with it.

Until training publishes others there are those that the operator lists, or one, `base`: the
engine's own weights with documented constants. A tree is pinned to the version that was live when
it was admitted.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self

from pydantic import BaseModel, ConfigDict, model_validator

from banyan.action import Kind
from banyan.errors import UnknownPolicy
from banyan.prices import Prices

LIVE = "live"


class Policy(BaseModel):
    """What a tree needs to know of the weights it runs on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: str
    threshold: float
    """Where the inputs fit the window: delegate if the delegation score (nats) is above this."""
    threshold_overflow: float
    """The same where they do not fit, so that the alternative is to look around in them."""
    found_weight: float = 24.0
    """Nats: how much the share of the goal that was found in a few places moves that threshold."""
    found_enough: float = 0.7
    """The share at which it does not move. On 60 goals of four public sets, from which it
    was chosen, 14 of 16 that ask for a fact lay above, and 41 of 44 others below (ADR 13)."""
    kinds: tuple[Kind, ...] = ("answer", "delegate", "read", "search", "note", "use")
    """The kinds this policy may choose from; forced decisions may use `answer` and `delegate`."""
    max_turns: int = 16
    """Turns of one node, after which it must answer with what it has."""
    briefs: bool = True
    """Whether the agent writes a brief and a sub-goal when it splits its inputs. Without, each part
    is given the agent's own goal, delegating costs no generation, and under the threshold gate
    parts that fit are answered. A model of 135M parameters was seen to invent a brief about a text
    that it had not read, which all of its children then repeated (ADR 14)."""
    cites: bool = True
    """Whether the agent names the passages that it cites; else they are found by the words that
    they share with the answer (`banyan/attribution.py`)."""
    json_answers: bool = True
    """Whether an answer in text is written inside a JSON object, as its citations have to be; else
    the reply itself is the answer. A model of 135M parameters was seen to end a JSON string at the
    first quotation mark that it copied, and to write one sentence there where it else writes ten.
    """
    merges: bool = True
    """Whether the agent can combine texts. Without, results of parts are so short that together
    they are as long as the answer may be, and are joined in their order, without a model call;
    where they would be too short to say something, they are read as a text and retold. A model of
    135M parameters was seen to lose in a merge what its parts had kept of a story."""
    word_limits: bool = True
    """Whether its requests say how many words an answer may have. A model of 135M parameters was
    seen to answer with the number ("The meeting in 30 words"): it is only cut off, at a sentence.
    """
    frequency_penalty: float = 0.0
    """Of actions, rollouts excepted, as OpenAI-compatible servers have it. Greedy, very small
    models repeat themselves."""
    overlap_tokens: int = 0
    """Text before each part of a split that its reader sees too, where the agent does not say how
    much (ADR 16)."""
    structured_children: bool = True
    """Whether it is offered to ask children for objects, to have records counted by labels, and to
    ask for an overlap. A model of 135M parameters was seen to ask for nonsense, which its children
    then could not write within their tokens; one of 1.5B asks for what the goal needs (ADR 44)."""
    records_at_once: int = 4
    """How many records its agents label in one answer; the more, the more it is that models take
    one for another. One of 1.5B parameters gave news their gold label in 22 of 36 cases by itself,
    17 of 36 by fours and 10 of 36 by twelves (ADR 47)."""
    gates_parts: bool = False
    """Whether, under the threshold gate, its agents choose whether to divide a part again that was
    cut such that it fits; never without briefs. To ask reads the part twice. Versions that were
    trained choose, as they learned to (ADR 37)."""
    max_invalid: int = 3
    """Invalid actions in a row before a node fails, or divides its inputs without a brief."""
    adapter: str | None = None
    """The adapter's name on its engine; none: the engine's own weights."""
    listed: str | None = None
    """The policy that this is a published version of; none: it is itself listed."""
    is_full: bool = False
    """Whether the version is full weights that replicas load in place of their own."""
    prices: Prices = Prices()
    """What its engine's tokens cost."""
    about: str = ""
    """A few words for agents that may choose among policies."""

    @property
    def name(self) -> str:
        """The policy as the operator lists it."""
        return self.listed or self.version

    @model_validator(mode="after")
    def _citations_have_a_place(self) -> Self:
        if self.cites and not self.json_answers:
            raise ValueError("cites needs json_answers: a plain answer has no place for citations")
        return self


BASE = Policy(version="base", threshold=4.0, threshold_overflow=-4.0)
"""Untrained weights: 4 nats either way. What fits the window is answered directly unless the model
is nearly certain that it should be divided; what does not fit is divided unless the model is
nearly certain that it should look around. Fitted thresholds come with trained versions."""


class Policies:
    """The policies that are served, by name. `live` is the one that new trees get."""

    def __init__(self, served: Iterable[Policy], *, live: str) -> None:
        self._by_name = {policy.version: policy for policy in served}
        self._live = live
        self.resolve(live)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._by_name)

    def resolve(self, name: str) -> Policy:
        """The policy of a version's name, or of `live`. Raises UnknownPolicy."""
        found = self._by_name.get(self._live if name == LIVE else name)
        if found is None:
            raise UnknownPolicy(
                "no policy of this name is served",
                hint=f"Use one of: {', '.join((LIVE, *self._by_name))}.",
            )
        return found


ONLY_BASE = Policies([BASE], live=BASE.version)
"""What is served where the operator lists no policies."""
