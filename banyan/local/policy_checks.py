"""Policy checks: what the operator's file of policies says, and whether its servers answer."""

from __future__ import annotations

from banyan.adapters.engine_spec import EngineSpec
from banyan.adapters.policy_file import listed
from banyan.errors import InvalidInput
from banyan.local.check import Check
from banyan.local.probes import status_of
from banyan.policy import LIVE, Policy
from banyan.prices import NANO, Prices
from banyan.settings import Settings

_MILLION = 1_000_000
_FIRST_FAILURE = 400


def check_policies(settings: Settings) -> list[Check]:
    """One finding a policy; none where no file is named, since all is on one engine then."""
    if settings.policies is None:
        return []
    try:
        found = listed(settings)
    except InvalidInput as error:
        return [Check("policies", "missing", str(error), error.hint)]
    live = found.policies.resolve(LIVE).version
    return [
        _check(found.policies.resolve(name), spec, settings, is_live=name == live)
        for name, spec in found.engines.items()
    ]


def _check(policy: Policy, spec: EngineSpec, settings: Settings, *, is_live: bool) -> Check:
    name = f"policy {policy.version}"
    said = f"{'live, ' if is_live else ''}{_prices(policy.prices)}"
    if spec == EngineSpec.of(settings):
        return Check(name, "ok", f"{said}, on the engine of the settings, as `banyan up` starts it")
    headers = {"Authorization": f"Bearer {spec.api_key}"} if spec.api_key else None
    silent = [url for url in spec.urls if not _answers(url, headers)]
    served = f"{spec.kind}, {spec.model or 'its first model'} at {', '.join(spec.urls)}"
    if not silent:
        return Check(name, "ok", f"{said}, {served}")
    return Check(
        name,
        "note",
        f"{said}, {served}: no model server answers at {', '.join(silent)}",
        "Start it, or correct its URL or key in the file that BANYAN_POLICIES names.",
    )


def _answers(url: str, headers: dict[str, str] | None) -> bool:
    status = status_of(f"{url.removesuffix('/v1')}/v1/models", headers)
    return status is not None and status < _FIRST_FAILURE


def _prices(prices: Prices) -> str:
    if prices.are_free:
        return "free"
    each = (prices.prompt, prices.cached, prices.completion)
    return " / ".join(f"{price * _MILLION / NANO:g}" for price in each) + " USD a million tokens"
