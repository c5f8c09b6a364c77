"""Destinations: where webhooks may go. Names are resolved, and every address must be public.

A caller must not make this machine speak to what only this machine can reach. The addresses that
were checked are those that are connected to, so that a name cannot mean something else by then.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from urllib.parse import SplitResult, urlsplit

from banyan.errors import InvalidInput, RefusedAddress

Resolve = Callable[[str, int], Awaitable[list[str]]]
RESOLVE_S = 5.0

_PORTS = {"http": 80, "https": 443}
_EMBEDS_V4 = IPv6Network("64:ff9b::/96")  # NAT64: leads to any IPv4 address


class Destinations:
    """`networks`: CIDR, separated by commas, that are allowed beside public ones, without TLS too.

    Raises InvalidInput for what is no network.
    """

    def __init__(self, networks: str = "", *, resolve: Resolve | None = None) -> None:
        try:
            self._allowed = tuple(
                ip_network(part.strip()) for part in networks.split(",") if part.strip()
            )
        except ValueError as error:
            raise InvalidInput(
                f"BANYAN_WEBHOOK_NETWORKS: {error}", hint="Set it to networks like 10.1.0.0/16."
            ) from error
        self._resolve = resolve or resolved

    async def check(self, url: str) -> tuple[str, ...]:
        """The addresses that the URL leads to now.

        Raises RefusedAddress; the URL, which may hold a secret, is never part of the message.
        """
        parts = _split(url)
        try:
            async with asyncio.timeout(RESOLVE_S):
                port = parts.port or _PORTS[parts.scheme]
                found = await self._resolve(parts.hostname or "", port)
        except (OSError, UnicodeError) as error:
            raise RefusedAddress("the webhook's host cannot be resolved") from error
        addresses = [ip_address(address.partition("%")[0]) for address in found]
        if not addresses:
            raise RefusedAddress("the webhook's host has no address")
        for address in addresses:
            if self._is_allowed(address):
                continue
            if not is_public(address):
                raise RefusedAddress("the webhook's host has an address that is not public")
            if parts.scheme != "https":
                raise RefusedAddress("a webhook's address begins with https://")
        return tuple(str(address) for address in addresses)

    def _is_allowed(self, address: IPv4Address | IPv6Address) -> bool:
        return any(_contains(network, address) for network in self._allowed)


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether everyone can reach it. An IPv6 address that stands for an IPv4 one never is."""
    if isinstance(address, IPv6Address) and (
        address.ipv4_mapped or address.sixtofour or address.teredo or address in _EMBEDS_V4
    ):
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved


async def resolved(host: str, port: int) -> list[str]:
    """All addresses of a host, as the machine's resolver has them. Raises OSError."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def _split(url: str) -> SplitResult:
    if not url.isascii() or not url.isprintable() or " " in url:
        raise RefusedAddress("a webhook's address is printable ASCII without spaces")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise RefusedAddress("the webhook's address is no URL") from error
    if parts.scheme not in _PORTS or not parts.hostname or port == 0:
        raise RefusedAddress("the webhook's address is no https URL")
    if "@" in parts.netloc:
        raise RefusedAddress("a webhook's address holds no user and no password")
    return parts


def _contains(network: IPv4Network | IPv6Network, address: IPv4Address | IPv6Address) -> bool:
    return network.version == address.version and address in network
