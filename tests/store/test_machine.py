"""Whatever workers do, the books are right and every tree comes to its end once."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from banyan.local.valkey import Valkey
from tests.fixtures.namespaces import namespace
from tests.store.machine import StoreMachine


@pytest.mark.parametrize(("kind", "num_histories"), [("valkey", 60), ("oldest_redis", 15)])
def test_the_scripts_and_their_twin_agree_on_any_history(
    kind: str, num_histories: int, request: pytest.FixtureRequest
) -> None:
    server: Valkey = request.getfixturevalue(kind)

    class OnThisServer(StoreMachine):
        def __init__(self) -> None:
            super().__init__(server.url, namespace())

    run_state_machine_as_test(
        OnThisServer,
        settings=settings(
            max_examples=num_histories,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
