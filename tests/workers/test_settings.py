"""Settings that cannot be are said in one line each, by the variable's name."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from banyan.settings import what_is_wrong
from workers.settings import WorkerSettings


def test_replies_are_kept_only_where_the_installation_shares_them() -> None:
    with pytest.raises(ValidationError) as raised:
        WorkerSettings(result_cache_s=5.0)

    assert what_is_wrong(raised.value) == (
        "BANYAN_RESULT_CACHE_S needs BANYAN_COALESCE=installation\n"
    )
    assert WorkerSettings(result_cache_s=5.0, coalesce="installation").result_cache_s == 5.0


def test_a_number_out_of_range_is_named() -> None:
    with pytest.raises(ValidationError) as raised:
        WorkerSettings(slots=0)

    assert what_is_wrong(raised.value).startswith("BANYAN_SLOTS: Input should be greater than")
