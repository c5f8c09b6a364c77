"""Nodes whose calls wait for a model server: they keep their leases, and can be cancelled."""

from __future__ import annotations

import time

import httpx

from bench.stack import Stack, wait_until

WITHIN_S = 60.0
SHORT_LEASE_S = 3.0
LATENCY_S = 0.2
SETTLED_S = 3.0
"""A call that is not slow has ended by then, however busy the machine is."""
WIDE = {"gate": {"mode": "always"}, "limits": {"max_depth": 1}}


def stack_of_one_call(latency_s: float, *options: str) -> Stack:
    """One worker, that makes one call at a time."""
    return Stack(
        latency_s=latency_s,
        num_workers=1,
        slots=16,
        lease_s=SHORT_LEASE_S,
        settings={"BANYAN_ENGINE_CONCURRENCY": "1"},
        engine_options=options,
    )


def test_a_node_keeps_its_lease_while_its_call_waits_for_longer() -> None:
    stack = stack_of_one_call(SHORT_LEASE_S / 5)
    with stack, httpx.Client(timeout=130.0, trust_env=False) as client:
        solve = stack.wait(client, stack.submit(client, "fan-out 8", **WIDE))
        seen = stack.engine_stats(client)

    assert (solve["status"], solve["usage"]["nodes"]) == ("completed", 9)
    assert seen["calls"] == solve["usage"]["llm_calls"] == 10
    assert seen["max_in_flight"] == 1


def test_calls_that_wait_when_their_tree_is_cancelled_are_never_made() -> None:
    with (
        stack_of_one_call(LATENCY_S) as stack,
        httpx.Client(timeout=130.0, trust_env=False) as client,
    ):
        tree_id = stack.submit(client, "fan-out 8", **WIDE)
        wait_until(lambda: stack.engine_stats(client)["calls"] >= 2, WITHIN_S)
        client.post(f"{stack.engine_url}/slowness", content="10000").raise_for_status()
        wait_until(lambda: not _moves(stack, client), WITHIN_S)
        before = stack.engine_stats(client)["calls"]

        client.post(f"{stack.url}/solve/{tree_id}/cancel").raise_for_status()
        wait_until(lambda: stack.engine_stats(client)["in_flight"] == 0, WITHIN_S)

        assert stack.engine_stats(client)["calls"] == before < 10
        client.post(f"{stack.engine_url}/slowness", content="1").raise_for_status()
        after = stack.wait(client, stack.submit(client, "fan-out 2", **WIDE))
        assert after["status"] == "completed"  # its place was given back


def _moves(stack: Stack, client: httpx.Client) -> bool:
    """Whether a call that is not slow yet is still to end."""
    wait_until(lambda: stack.engine_stats(client)["in_flight"] == 1, WITHIN_S)
    before = stack.engine_stats(client)
    time.sleep(SETTLED_S)
    return stack.engine_stats(client) != before
