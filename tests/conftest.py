"""Fixtures that every test may use; the real parts are started once a session, on first use."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.fixtures.engines", "tests.fixtures.valkey"]

settings.register_profile(
    "busy", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.load_profile("busy")
