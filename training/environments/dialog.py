"""Dialog: learn what the user wants, call the services in order; the difficulty is the turns.

A turn is a question for a slot, or a call. A service needs values of slots; some are asked for,
some are the result of a call that comes before. All nodes of a tree share the dialogue. A goal is a
row of services, and divides into its two halves; it succeeds if, since it was begun, exactly its
calls were made, in order and with the right values.

At difficulty 1 the goal is one service out of a plan, and those before it are called: alone, as it
is of a part, or behind some of those before it. That is the skill that every plan is made of: what
the service takes, what is known, and which of the plan's services and slots it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from banyan.action import Kind
from training.environments.environment import HIDDEN, Move, Words, rng
from training.environments.errors import WindowTooSmall, check_difficulty

ONE_SERVICE = 1
"""The difficulty at which one service is to be called."""
MIN_TURNS, MAX_TURNS = 2, 24
SERVICES = tuple(f"service{number}" for number in range(MAX_TURNS // 2))
SLOTS = tuple(f"slot{number}" for number in range(2 * MAX_TURNS))
VALUES = tuple(f"value{number}" for number in range(16))
ASK, CALL, DONE, UNKNOWN = "ask", "call", "done", "unknown"
_MAX_ASKED = 3
_LINKED_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Service:
    """`slots` in the order of the call; `result` is the slot that a right call makes known."""

    name: str
    slots: Words
    result: str


class World:
    """The dialogue: what the user would say, what is known, and the calls that were made."""

    def __init__(
        self,
        services: Sequence[Service],
        values: dict[str, str],
        asked: Words,
        value_words: Words = VALUES,
    ) -> None:
        self.value_words = value_words
        self.services = {service.name: service for service in services}
        self.values = values
        self.asked = asked
        """Slots that the user can tell."""
        self.known: dict[str, str] = {}
        self.calls: list[Words] = []

    @property
    def unknown(self) -> Words:
        """Slots that can be asked for. What is known is not asked for again."""
        return tuple(slot for slot in self.asked if slot not in self.known)

    def right_call(self, service: Service) -> Words:
        return (service.name, *(self.values[slot] for slot in service.slots))

    def make(self, service: Service) -> None:
        """Ask for what the service needs, and call it."""
        for slot in service.slots:
            self.ask(slot)
        self.call(self.right_call(service))

    def ask(self, slot: str) -> None:
        self.known[slot] = self.values[slot]

    def call(self, words: Words) -> None:
        service = self.services[words[0]]
        self.calls.append(words)
        if words == self.right_call(service):
            self.known[service.result] = self.values[service.result]


class DialogGoal:
    """`num_before`: calls in the dialogue before the goal was begun; None: it is not begun yet."""

    def __init__(
        self, world: World, services: Sequence[Service], *, num_before: int | None = None
    ) -> None:
        self.world = world
        self.services = services
        self.is_merged = False
        self._num_before = num_before

    def observe(self, num_tokens: int) -> Words:
        """How many calls were made, and each service that is still to be called, with its slots."""
        num_made = min(len(self._made()), len(self.services))
        words: list[str] = [DONE] * num_made
        if len(words) + 1 > num_tokens:
            raise WindowTooSmall(f"{num_made} calls do not fit {num_tokens} tokens")
        for service in self.services[num_made:]:
            slots = [
                word
                for slot in service.slots
                for word in (slot, self.world.known.get(slot, UNKNOWN))
            ]
            if len(words) + len(slots) + 2 > num_tokens:
                return (*words, HIDDEN)
            words += [service.name, *slots]
        return tuple(words)

    def kinds(self) -> tuple[Kind, ...]:
        if self.is_merged or len(self.services) == 1 or self._made():
            return ("answer", "use")
        return ("answer", "delegate", "use")

    def choices(self, kind: Kind, written: Words) -> Words:
        if kind != "use":
            return ()
        match written:
            case ():
                return (ASK, CALL) if self.world.unknown else (CALL,)
            case ("ask",):
                return self.world.unknown
            case ("call",):
                return tuple(self.world.services)
            case ("call", service, *values):
                return (
                    self.world.value_words
                    if len(values) < len(self.world.services[service].slots)
                    else ()
                )
        return ()

    def use(self, words: Words) -> None:
        self._begin()
        if words[0] == ASK:
            self.world.ask(words[1])
        else:
            self.world.call(words[1:])

    def parts(self, words: Words) -> Sequence[DialogGoal]:  # noqa: ARG002 - one way to divide
        middle = len(self.services) // 2
        halves = (self.services[:middle], self.services[middle:])
        self._begin()
        return [DialogGoal(self.world, half) for half in halves]

    def merge(self, answers: Sequence[Words | None]) -> None:  # noqa: ARG002 - the world knows
        self.is_merged = True

    def verify(self, answer: Words) -> float:
        plan = [self.world.right_call(service) for service in self.services]
        return float(answer == () and self._made() == plan)

    def solve(self) -> tuple[Move, ...]:
        known = set(self.world.known)
        moves = []
        for service in self.services[len(self._made()) :]:
            for slot in service.slots:
                if slot in self.world.asked and slot not in known:
                    known.add(slot)
                    moves.append(Move("use", (ASK, slot)))
            moves.append(Move("use", (CALL, *self.world.right_call(service))))
        return (*moves, Move("answer"))

    def _begin(self) -> int:
        if self._num_before is None:
            self._num_before = len(self.world.calls)
        return self._num_before

    def _made(self) -> list[Words]:
        """Calls since this goal was begun."""
        return self.world.calls[self._begin() :]


class Dialog:
    """`max_turns` and `num_values` make ones with a smaller vocabulary."""

    name = "dialog"
    num_view_tokens = 32
    shares_state = True

    def __init__(self, *, max_turns: int = MAX_TURNS, num_values: int = len(VALUES)) -> None:
        self.max_turns = max_turns
        self.services = SERVICES[: max_turns // 2]
        self.slots = SLOTS[: 2 * max_turns]
        self.values = VALUES[:num_values]

    @property
    def words(self) -> Words:
        return (*self.services, *self.slots, *self.values, ASK, CALL, DONE, UNKNOWN, HIDDEN)

    def generate(self, seed: int, difficulty: int) -> DialogGoal:
        check_difficulty(self.name, difficulty, ONE_SERVICE, self.max_turns)
        random = rng(self.name, seed, difficulty)
        if difficulty != ONE_SERVICE:
            return self._plan(random, difficulty)
        plan = self._plan(random, random.randint(MIN_TURNS, self.max_turns))
        num_made = random.randrange(len(plan.services))
        for service in plan.services[:num_made]:
            plan.world.make(service)
        first = random.randint(0, num_made)
        return DialogGoal(plan.world, plan.services[first : num_made + 1], num_before=first)

    def _plan(self, random: Random, num_turns: int) -> DialogGoal:
        """The names of services are dealt out anew for each plan."""
        names = random.sample(self.services, len(self.services))
        slots = iter(random.sample(self.slots, len(self.slots)))
        services: list[Service] = []
        asked: list[str] = []
        for name, share in zip(names, _shares(random, num_turns), strict=False):
            needed = [next(slots) for _ in range(share - 1)]
            asked += needed
            if services and random.random() < _LINKED_SHARE:
                needed.append(random.choice(services).result)
            random.shuffle(needed)
            services.append(Service(name, tuple(needed), result=next(slots)))
        values = {slot: random.choice(self.values) for slot in self.slots}
        world = World(services, values, tuple(sorted(asked)), self.values)
        return DialogGoal(world, services)

    def max_steps(self, difficulty: int) -> int:
        """Four for each turn."""
        return 4 * (1 + _MAX_ASKED if difficulty == ONE_SERVICE else difficulty)


def _shares(random: Random, num_turns: int) -> list[int]:
    """Turns of each service: its questions, and its call."""
    shares = []
    while num_turns:
        share = random.randint(2, min(1 + _MAX_ASKED, num_turns))
        if num_turns - share == 1:
            share = share - 1 if share > 2 else num_turns
        shares.append(share)
        num_turns -= share
    return shares
