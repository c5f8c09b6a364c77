"""Where webhooks may go: public addresses alone, whatever a name or a spelling makes of them."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from banyan.adapters.destinations import Destinations, is_public
from banyan.errors import InvalidInput, RefusedAddress

PUBLIC = "93.184.216.34"


def resolving(*addresses: str, networks: str = "") -> Destinations:
    async def resolve(host: str, port: int) -> list[str]:
        assert host
        assert port
        return list(addresses)

    return Destinations(networks, resolve=resolve)


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.8.8.8", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1"),  # noqa: S104
        *("169.254.169.254", "100.64.0.1", "192.0.0.1", "198.18.0.1", "224.0.0.1", "240.0.0.1"),
        *("255.255.255.255", "::1", "::", "fe80::1", "fc00::1", "ff02::1", "2001:db8::1"),
        *("::ffff:127.0.0.1", "::ffff:93.184.216.34", "64:ff9b::7f00:1", "2002:7f00:1::"),
        "2001:0:7f00:1::1",
    ],
)
async def test_an_address_that_is_not_public_is_refused(address: str) -> None:
    assert not is_public(ip_address(address))
    with pytest.raises(RefusedAddress, match="not public"):
        await resolving(address).check("https://example.com/")


async def test_one_address_that_is_not_public_is_enough_to_refuse() -> None:
    with pytest.raises(RefusedAddress):
        await resolving(PUBLIC, "10.0.0.1").check("https://example.com/")


async def test_a_public_address_is_what_will_be_connected_to() -> None:
    assert await resolving(PUBLIC, "2606:2800::1").check("https://example.com:8443/x?y=z") == (
        PUBLIC,
        "2606:2800::1",
    )


@pytest.mark.parametrize(
    "url",
    [
        *("http://example.com/", "ftp://example.com/", "file:///etc/passwd", "example.com", "//a"),
        *("https://", "https://user:secret@example.com/", "https://exa mple.com/", "https://ä.de/"),
        *("https://example.com:0/", "https://example.com:99999/", "https://[::1/", "https://a\n/"),
    ],
)
async def test_what_is_no_https_address_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(RefusedAddress) as refused:
        await resolving(PUBLIC).check(url)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "[::1]", "localhost"]
)
async def test_no_spelling_of_this_machine_is_let_through(host: str) -> None:
    """By the resolver that is used in earnest."""
    with pytest.raises(RefusedAddress):
        await Destinations().check(f"https://{host}/")


async def test_a_name_that_does_not_resolve_is_refused() -> None:
    async def resolve(host: str, port: int) -> list[str]:
        raise OSError(f"{host}:{port}")

    with pytest.raises(RefusedAddress, match="cannot be resolved"):
        await Destinations(resolve=resolve).check("https://nowhere.example/")


async def test_networks_of_the_operator_are_allowed_without_tls() -> None:
    allowed = resolving("10.1.2.3", networks="10.1.0.0/16, fd00::/8")

    assert await allowed.check("http://hooks.internal/") == ("10.1.2.3",)
    with pytest.raises(RefusedAddress):
        await resolving("10.2.0.1", networks="10.1.0.0/16").check("https://hooks.internal/")


def test_what_is_no_network_is_said() -> None:
    with pytest.raises(InvalidInput, match="BANYAN_WEBHOOK_NETWORKS"):
        Destinations("10.0.0.1/8")
