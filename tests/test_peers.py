"""What `bench.peers` makes of the runs of Banyan and its peers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench.peer_table import BANYAN, FLOOR, PEERS, Run, goals, rows, table, version
from bench.peers_env import peers_env

RUN = Run(
    system=BANYAN,
    children=1_000,
    width=1_100,
    wall_s=1.2,
    cpu_s=0.9,
    calls=1_002,
    prompt_tokens=100_200,
    failures=0,
)


def test_a_peer_counts_at_the_width_that_is_best_for_it() -> None:
    narrow = replace(RUN, system="rlms", width=64, wall_s=6.0)
    wide = replace(RUN, system="rlms", width=256, wall_s=4.0)

    [row] = rows([narrow, wide])

    assert (row.width, row.wall_s) == (256, 4.0)


def test_a_width_at_which_children_fail_is_never_the_best() -> None:
    whole = replace(RUN, system="rlms", width=64, wall_s=6.0)
    broken = replace(RUN, system="rlms", width=1_024, wall_s=0.1, failures=3)

    [row] = rows([broken, whole])

    assert (row.width, row.failures) == (64, 0)


def test_rounds_give_their_median_and_their_worst() -> None:
    [row] = rows([replace(RUN, wall_s=wall_s) for wall_s in (1.0, 9.0, 2.0)])

    assert (row.rounds, row.wall_s, row.worst_wall_s) == (3, 2.0, 9.0)


def test_the_goals_are_told_with_their_figures() -> None:
    found = rows(
        [
            RUN,
            replace(RUN, system="rlms", wall_s=4.8),
            replace(RUN, system=FLOOR, wall_s=0.3),
        ]
    )

    met = [line.startswith("met") for line in goals(found)]
    assert met == [True, True, True, False]
    assert any("4.00" in line for line in table(found))  # times ours


@pytest.mark.parametrize("name", PEERS)
def test_every_peer_is_in_the_lock_file(name: str) -> None:
    assert version(PEERS[name].package, peers_env().lock_file)
