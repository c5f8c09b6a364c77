"""Every seventh answer of the model server is wrong in another way, from 400 to 60 s late.

A call that broke is made again until it is whole, and so is the tree. An action that is not valid
is written again a bounded number of times: a node fails only where every one of these went wrong. A
call that is refused for good (400) costs its own node. Siblings are there in any case, the parent
says what is missing, and no error text is ever an answer.
"""

from __future__ import annotations

from typing import Any

from banyan.policy import BASE
from banyan.testing.faults import ALL, TEXTS, Fault
from bench.chaos.forest import COUNTING, Tree
from bench.chaos.house import WAIT_S, House
from bench.chaos.report import Report, Size

TREES = 2
EVERY = 7
LATE_S = 60.0
PASSING: frozenset[Fault] = frozenset({"500", "503", "cut_reply", "late"})


def run(house: House, size: Size) -> Report:
    """Trees over all of the faults in turn, then over each alone."""
    report = Report("engine-answers", size.seed)
    kinds: list[tuple[Fault, ...]] = [(fault,) for fault in ALL]
    for faults in [ALL, *kinds][: size.faults]:
        name = faults[0] if len(faults) == 1 else "all in turn"
        _restart(house, ("--fail-every", str(EVERY), "--faults", ",".join(faults)))
        forest = house.forest(size, TREES)
        forest.harvest(WAIT_S)
        seen = house.stack.engine_stats(house.client)
        forest.read_events()
        failed = sum(map(num_failed, forest.trees))
        whole = sum(tree.status == "completed" for tree in forest.trees)
        report.figures[name] = (
            f"{seen['failed']} of {seen['calls']} answers, {whole} of {len(forest.trees)} "
            f"trees whole, {failed} nodes failed"
        )
        report.checks |= {
            f"{name}: answers went wrong": seen["failed"] > 0,
            f"{name}: no tree is lost": all(tree.solve for tree in forest.trees),
            f"{name}: no error text is an answer": all(map(is_honest, forest.trees)),
            f"{name}: what is missing is said": all(map(says_what_is_missing, forest.trees)),
        }
        if PASSING.issuperset(faults):
            part = Report(name, size.seed)
            forest.judge(part)
            report.checks[f"{name}: retried until every tree was whole"] = part.holds
        elif len(faults) == 1 and faults[0] in TEXTS:
            spent = failed * BASE.max_invalid <= seen["failed"]
            report.checks[f"{name}: a node failed only after {BASE.max_invalid} tries"] = spent
    _restart(house, ())
    return report


def _restart(house: House, options: tuple[str, ...]) -> None:
    house.stack.engine_options = [*COUNTING, "--late", str(LATE_S), *options]
    for engine in list(house.stack.engines):
        house.stack.kill(engine)
    for url in house.stack.engine_urls:
        house.stack.start_engine(url)
    house.wait_engines()


def num_failed(tree: Tree) -> int:
    """Nodes that ended otherwise than well."""
    ends = [event for event in tree.events if event.type == "node.finished"]
    return sum(event.data["status"] != "ok" for event in ends)


def is_honest(tree: Tree) -> bool:
    """Whether the answer is a count of leaves, counts of several parts, or none."""
    answer: Any = tree.solve and tree.solve["answer"]
    bad = [text for text in TEXTS.values() if text]
    return answer is None or (
        all(line.isdigit() for line in answer.splitlines()) and not any(b in answer for b in bad)
    )


def says_what_is_missing(tree: Tree) -> bool:
    """Whether a tree with failed nodes is not called complete, and says why."""
    if not tree.solve or not num_failed(tree):
        return True
    is_marked = tree.solve["status"] == "partial" and bool(tree.solve["notices"])
    return is_marked or (tree.solve["status"] == "failed" and tree.solve["error"] is not None)
