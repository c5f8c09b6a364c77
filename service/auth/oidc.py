"""OIDC: bearer tokens of one issuer, checked against its signing keys, which are fetched and kept.

A token must name this service (`aud`) and its issuer, must end (`exp`), and must be signed by an
asymmetric algorithm of the settings. Scopes are `banyan:solve` and so on, so that an `admin` that
means something else to the issuer opens nothing here.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Mapping
from typing import Any

import httpx
import jwt
import structlog

from banyan.access import SCOPES, TENANT_PATTERN, Caller
from service.problems import Refused
from service.settings import ServiceSettings

KEPT_S = 300.0
AT_MOST_EVERY_S = 10.0
"""Between two looks for signing keys: tokens with invented key ids must not make us a nuisance."""
LEEWAY_S = 30.0
TIMEOUT_S = 10.0
MAX_TOKEN_CHARS = 16_384
SCOPE_PREFIX = "banyan:"

log = structlog.get_logger("banyan.service")


class TokenIssuer:
    """Whose tokens are taken. `http`: for tests, and closed here. `clock`: monotonic seconds."""

    def __init__(
        self,
        settings: ServiceSettings,
        *,
        http: httpx.AsyncClient | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._issuer = settings.oidc_issuer
        self._audience = settings.oidc_audience
        self._jwks_url = settings.oidc_jwks_url
        self._algorithms = settings.oidc_algorithm_names
        self._tenant_claim = settings.oidc_tenant_claim
        self._http = http or httpx.AsyncClient(timeout=TIMEOUT_S, trust_env=False)
        self._clock = clock
        self._keys: dict[str | None, jwt.PyJWK] = {}
        self._fetched_at = self._tried_at = float("-inf")
        self._fetching = asyncio.Lock()

    async def caller(self, token: str) -> Caller:
        """Raises Refused: 401 for a token that does not hold, 503 where no key can be had."""
        claims = await self._claims(token)
        tenant = claims.get(self._tenant_claim)
        if not isinstance(tenant, str) or not re.fullmatch(TENANT_PATTERN, tenant):
            raise _invalid(f"The token's claim `{self._tenant_claim}` names no tenant.")
        granted = _granted(claims)
        scopes = frozenset(scope for scope in SCOPES if SCOPE_PREFIX + scope in granted)
        return Caller(tenant, scopes, "oidc")

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def _claims(self, token: str) -> Mapping[str, Any]:
        try:
            if len(token) > MAX_TOKEN_CHARS:
                raise jwt.InvalidTokenError
            header = jwt.get_unverified_header(token)
            if header.get("alg") not in self._algorithms:
                raise jwt.InvalidAlgorithmError
            claims: Mapping[str, Any] = jwt.decode(
                token,
                key=await self._key(header.get("kid")),
                algorithms=self._algorithms,
                audience=self._audience,
                issuer=self._issuer,
                leeway=LEEWAY_S,
                options={"require": ["exp", "iss", "aud"]},
            )
        except jwt.PyJWTError as error:
            log.info("token.refused", why=type(error).__name__)
            raise _invalid("The token does not hold.") from error
        return claims

    async def _key(self, kid: object) -> jwt.PyJWK:
        if kid is not None and not isinstance(kid, str):
            raise jwt.InvalidTokenError
        if self._clock() - self._fetched_at > KEPT_S or kid not in self._keys:
            async with self._fetching:
                await self._refresh(kid)
        if not self._keys:
            raise Refused(
                "The issuer's signing keys cannot be had.",
                code="identity_unavailable",
                hint="Try again; the operator may have to look at BANYAN_OIDC_ISSUER.",
                status=503,
                headers={"Retry-After": "10"},
            )
        if kid not in self._keys:
            raise jwt.InvalidTokenError
        return self._keys[kid]

    async def _refresh(self, kid: str | None) -> None:
        """Fetch the keys, unless they are fresh or were just looked for; else the old ones stay."""
        now = self._clock()
        is_fresh = now - self._fetched_at <= KEPT_S and kid in self._keys
        if is_fresh or now - self._tried_at < AT_MOST_EVERY_S:
            return
        self._tried_at = now
        try:
            found = await self._get(await self._where())
            self._keys = {key.key_id: key for key in jwt.PyJWKSet.from_dict(found).keys}
            self._fetched_at = now
        except (httpx.HTTPError, httpx.InvalidURL, jwt.PyJWTError, ValueError, KeyError) as error:
            log.warning("signing_keys.not_fetched", error=type(error).__name__)

    async def _where(self) -> str:
        if self._jwks_url:
            return self._jwks_url
        place = f"{self._issuer.rstrip('/')}/.well-known/openid-configuration"
        found = await self._get(place)
        if found["issuer"] != self._issuer:
            raise ValueError("the discovery document is another issuer's")
        return str(found["jwks_uri"])

    async def _get(self, url: str) -> dict[str, Any]:
        reply = await self._http.get(url)
        reply.raise_for_status()
        found = reply.json()
        if not isinstance(found, dict):
            raise TypeError("no JSON object")
        return found


def _granted(claims: Mapping[str, Any]) -> frozenset[str]:
    """`scope` is a text of words (RFC 8693); some issuers send a list, or call it `scp`."""
    value = claims.get("scope", claims.get("scp", ""))
    words = value.split() if isinstance(value, str) else value
    return frozenset(word for word in words if isinstance(word, str)) if words else frozenset()


def _invalid(message: str) -> Refused:
    return Refused(
        message,
        code="invalid_token",
        hint="Get a new token of the issuer that this service is set up for; see docs/security.md.",
        status=401,
        headers={"WWW-Authenticate": 'Bearer realm="banyan", error="invalid_token"'},
    )
