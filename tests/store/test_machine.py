"""Whatever workers do, the books are right and every tree comes to its end once."""

from __future__ import annotations

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from banyan.local.valkey import Valkey
from tests.fixtures.namespaces import namespace
from tests.store.machine import StoreMachine


def test_the_scripts_and_their_twin_agree_on_any_history(valkey: Valkey) -> None:
    class OnThisServer(StoreMachine):
        def __init__(self) -> None:
            super().__init__(valkey.url, namespace())

    run_state_machine_as_test(
        OnThisServer,
        settings=settings(
            max_examples=60,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
