"""What a tenant uses is counted turn by turn, over all its trees and shards."""

from __future__ import annotations

from banyan.ports import Reserve
from banyan.quotas import Quota, TenantSpending, standing
from tests.fixtures.waiting import eventually
from tests.store.conftest import MakeForest
from tests.store.trees import OK, Forest, log


async def test_turns_count_while_their_tree_is_under_way(forest: Forest) -> None:
    tree = await forest.plant(tokens=1_000, nano_usd=50)
    lease = await forest.lease(tree)
    await forest.store.turn(lease, log(300, nano_usd=7), b"")
    await forest.store.finish(lease, OK, log=log(100, nano_usd=1))
    used = await forest.store.spending("acme")

    assert used.minute_tokens + used.last_minute_tokens == 400
    assert (used.day_tokens, used.day_nano_usd) == (400, 8)


async def test_tenants_do_not_count_for_one_another(forest: Forest) -> None:
    tree = await forest.plant(tenant="other")
    await forest.store.turn(await forest.lease(tree), log(300), b"")

    assert (await forest.store.spending("acme")).day_tokens == 0
    assert (await forest.store.spending("other")).day_tokens == 300


def test_the_last_minute_slides() -> None:
    used = TenantSpending(now=60 * 100 + 15, minute_tokens=10, last_minute_tokens=40)

    assert used.tokens_per_minute == 10 + 40 * 0.75
    assert used.seconds_until_below(100) == 1
    # 10 + 40 * (1 - s / 60) falls below 20 once 45 s of the minute are over: in 30 s.
    assert used.seconds_until_below(20) == 31
    # 10 alone is more than 5: it must become the last minute, and half of that must pass.
    assert used.seconds_until_below(5) == 45 + 30 + 1


def test_what_is_left_is_never_less_than_nothing() -> None:
    quota = Quota(trees=2, nodes=10, tokens_per_minute=5, tokens_per_day=7, usd_per_day=0.001)
    used = TenantSpending(
        now=86_400.0 * 3 + 10, minute_tokens=50, day_tokens=50, day_nano_usd=10**7
    )
    left = standing(quota, trees=3, nodes=11, spending=used)

    assert [one.left for one in left] == [0, 0, 0, 0, 0]
    assert [one.reset_s for one in left[3:]] == [86_390, 86_390]


async def test_a_lost_worker_is_charged_to_its_tenant(make: MakeForest) -> None:
    forest = make()
    tree = await forest.plant(tokens=1_000)
    await forest.store.claim(
        tree, ["0"], worker="w", lease_s=0.01, reserves={"base": Reserve(tokens=250)}
    )

    async def charged() -> bool:
        await forest.store.reap()
        return (await forest.store.spending("acme")).day_tokens == 250

    assert await eventually(charged)
