"""Tokens of an identity provider: what holds, what does not, and keys that are fetched and kept."""

from __future__ import annotations

import base64
import hmac
import json
import time
from collections.abc import Mapping
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import RSAAlgorithm
from pydantic import ValidationError

from service.auth.oidc import AT_MOST_EVERY_S, KEPT_S, TokenIssuer
from service.problems import Refused
from service.settings import ServiceSettings

ISSUER = "https://id.example.org"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER = rsa.generate_private_key(public_exponent=65537, key_size=2048)
CURVE = ec.generate_private_key(ec.SECP256R1())


class Provider:
    """An identity provider that answers from memory, and counts."""

    def __init__(self) -> None:
        self.keys = {"one": KEY}
        self.asked: list[str] = []
        self.away = False
        self.issuer = ISSUER
        self.now = 1_000.0

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url.path)
        if self.away:
            raise httpx.ConnectError("gone")
        if request.url.path == "/.well-known/openid-configuration":
            return httpx.Response(200, json={"issuer": self.issuer, "jwks_uri": f"{ISSUER}/jwks"})
        keys = [
            {**json.loads(RSAAlgorithm.to_jwk(key.public_key())), "kid": kid, "use": "sig"}
            for kid, key in self.keys.items()
        ]
        return httpx.Response(200, json={"keys": keys})

    def made(self, **settings: Any) -> TokenIssuer:
        names = {"oidc_issuer": ISSUER, "oidc_audience": "banyan", **settings}
        http = httpx.AsyncClient(transport=httpx.MockTransport(self.answer))
        return TokenIssuer(ServiceSettings(**names), http=http, clock=lambda: self.now)


def token(key: Any = KEY, *, kid: str | None = "one", alg: str = "RS256", **changes: Any) -> str:
    claims: dict[str, Any] = {
        "iss": ISSUER,
        "aud": "banyan",
        "exp": time.time() + 60,
        "tenant": "acme",
        "scope": "openid banyan:solve banyan:documents admin",
        **changes,
    }
    held = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(held, key, algorithm=alg, headers={"kid": kid} if kid else None)


async def code_of(issuer: TokenIssuer, credential: str) -> str:
    with pytest.raises(Refused) as refused:
        await issuer.caller(credential)
    assert credential not in f"{refused.value} {refused.value.hint}"
    return refused.value.code


async def test_a_token_names_its_tenant_and_its_scopes() -> None:
    caller = await Provider().made().caller(token())

    assert (caller.tenant, caller.by) == ("acme", "oidc")
    assert caller.scopes == {"solve", "documents"}  # `admin` is something of the issuer's own


@pytest.mark.parametrize("scopes", [{"scope": None, "scp": ["banyan:solve", 3]}, {"scope": None}])
async def test_scopes_may_be_a_list_or_missing(scopes: Mapping[str, Any]) -> None:
    caller = await Provider().made().caller(token(**scopes))

    assert caller.scopes == ({"solve"} if "scp" in scopes else set())


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://evil.example.org"},
        {"aud": "another"},
        {"exp": time.time() - 3_600},
        {"exp": None},
        {"aud": None},
        {"iss": None},
        {"nbf": time.time() + 3_600},
        {"tenant": None},
        {"tenant": "a:b"},
        {"tenant": "../acme"},
        {"tenant": ["acme"]},
        {"tenant": "acme\n"},
    ],
    ids=str,
)
async def test_a_token_that_does_not_hold_is_refused(changes: Mapping[str, Any]) -> None:
    assert await code_of(Provider().made(), token(**changes)) == "invalid_token"


async def test_a_token_that_someone_else_signed_is_refused() -> None:
    assert await code_of(Provider().made(), token(OTHER)) == "invalid_token"


@pytest.mark.parametrize("credential", ["x", "a.b.c", "é.é.é", "x" * 20_000, token() + "x", "a b"])
async def test_what_is_no_token_is_refused(credential: str) -> None:
    assert await code_of(Provider().made(), credential) == "invalid_token"


async def test_the_public_key_cannot_be_used_as_a_secret() -> None:
    """The oldest trick: a token signed by HMAC with what everyone can fetch."""
    header = base64.urlsafe_b64encode(b'{"alg":"HS256","kid":"one"}').rstrip(b"=")
    signed = header + b"." + token().split(".")[1].encode()
    public = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    mac = base64.urlsafe_b64encode(hmac.digest(public, signed, "sha256")).rstrip(b"=")
    forged = (signed + b"." + mac).decode()
    unsigned = token(None, alg="none")

    for credential in (forged, unsigned):
        assert await code_of(Provider().made(), credential) == "invalid_token"


async def test_an_algorithm_that_is_not_in_the_settings_is_refused() -> None:
    issuer = Provider().made(oidc_algorithms="RS256")

    assert await code_of(issuer, token(CURVE, alg="ES256")) == "invalid_token"
    assert await code_of(issuer, token(alg="PS256")) == "invalid_token"


@pytest.mark.parametrize("algorithms", ["HS256", "none", "RS256,HS512", ""])
def test_symmetric_algorithms_cannot_be_set(algorithms: str) -> None:
    with pytest.raises(ValidationError, match="BANYAN_OIDC_ALGORITHMS"):
        ServiceSettings(oidc_algorithms=algorithms)


async def test_signing_keys_are_kept_and_fetched_anew_for_a_key_that_is_not_known() -> None:
    provider = Provider()
    issuer = provider.made()
    for _ in range(3):
        await issuer.caller(token())
    assert provider.asked == ["/.well-known/openid-configuration", "/jwks"]

    provider.keys["two"] = OTHER
    provider.now += AT_MOST_EVERY_S
    await issuer.caller(token(OTHER, kid="two"))
    assert len(provider.asked) == 4


async def test_invented_key_ids_do_not_make_us_ask_again_and_again() -> None:
    provider = Provider()
    issuer = provider.made()
    for index in range(20):
        assert await code_of(issuer, token(kid=f"k{index}")) == "invalid_token"

    assert len(provider.asked) == 2


async def test_old_signing_keys_serve_while_the_issuer_is_away() -> None:
    provider = Provider()
    issuer = provider.made()
    await issuer.caller(token())
    provider.away = True
    provider.now += KEPT_S + 1

    assert (await issuer.caller(token())).tenant == "acme"


async def test_without_any_signing_key_nobody_can_be_known() -> None:
    provider = Provider()
    provider.away = True

    assert await code_of(provider.made(), token()) == "identity_unavailable"


async def test_a_discovery_document_of_another_issuer_is_not_believed() -> None:
    provider = Provider()
    provider.issuer = "https://evil.example.org"

    assert await code_of(provider.made(), token()) == "identity_unavailable"


async def test_the_address_of_the_signing_keys_can_be_set() -> None:
    provider = Provider()
    await provider.made(oidc_jwks_url=f"{ISSUER}/mine").caller(token())

    assert provider.asked == ["/mine"]
