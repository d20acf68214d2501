"""Which addresses may be called: https on port 443 of public ones, and anything inside PARVIS_PRIVATE_NETWORKS."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from itertools import chain
from socket import SOCK_STREAM

import httpx

from shared.errors import Invalid, Problem
from shared.settings import Settings

Address = IPv4Address | IPv6Address
Networks = Sequence[IPv4Network | IPv6Network]
Places = frozenset[tuple[str, int]]
Resolve = Callable[[str, int], Awaitable[Sequence[Address]]]

_log = logging.getLogger("http")

CONNECT_SECONDS = 5.0

_NAT64 = ip_network("64:ff9b::/96")
_ISATAP = 0x0000_5EFE  # the upper half of its interface id, but for the bit that says “global”
# What Python's `is_global` lets through in the oldest version we run on, and no public server stands on.
_NOT_PUBLIC = tuple(
    ip_network(block)
    for block in (
        "192.0.0.0/24",
        "192.88.99.0/24",
        "64:ff9b:1::/48",
        "2001::/23",
        "2002::/16",
        "3fff::/20",
        "5f00::/16",
        "fec0::/10",
    )
)


class AddressRefused(httpx.ConnectError):
    """The guard does not let us go there; the text is a plain sentence."""


def _meant(address: Address) -> tuple[Address, ...]:
    """The addresses that are really reached: an IPv4 address inside an IPv6 one is taken out of its wrapping.

    A mapped or NAT64 address is its IPv4 address; an ISATAP one (RFC 5214) is both, and both have to be allowed.
    """
    if isinstance(address, IPv6Address):
        inner = IPv4Address(int(address) & 0xFFFF_FFFF)
        if address.ipv4_mapped is not None or address in _NAT64:
            return (inner,)
        if (int(address) >> 32) & 0xFDFF_FFFF == _ISATAP:
            return (address, inner)
    return (address,)


def _is_public(address: Address) -> bool:
    if address.is_multicast or address.is_reserved or not address.is_global:
        return False
    return not any(address in block for block in _NOT_PUBLIC)


def own_places(settings: Settings) -> Places:
    """Where our own practice network listens: it may be called, whatever the private ranges are."""
    return frozenset({(settings.host, settings.sandbox_port)})


def permit(
    scheme: str,
    host: str,
    port: int,
    addresses: Iterable[Address],
    private_networks: Networks,
    places: Places = frozenset(),
) -> None:
    """Allow a call to `host`, which stands for `addresses`. Raises AddressRefused with a sentence.

    The sentence goes to whoever typed the name in, and what a name stands for inside our network is not for them to
    know: only the log has the address.
    """
    if (host, port) in places:
        return
    for address in chain.from_iterable(map(_meant, addresses)):
        if any(address in network for network in private_networks):
            continue
        if not _is_public(address):
            _log.warning("refused to call %s, which stands for %s", host, address)
            raise AddressRefused(
                f"{host} is not a public address; PARVIS_PRIVATE_NETWORKS names the private ranges that may be called"
            )
        if scheme != "https":
            raise AddressRefused(f"{host} is a public address: use https:// rather than {scheme}://")
        if port != 443:
            raise AddressRefused(f"{host} is a public address: use port 443 rather than {port}")


async def resolve(host: str, port: int) -> list[Address]:
    """Every address that the system's resolver gives for `host`. Raises OSError where there is none."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=SOCK_STREAM)
    return [ip_address(str(place[0])) for *_, place in found]


async def check_address(
    url: str, private_networks: Networks, *, places: Places = frozenset(), resolve: Resolve = resolve
) -> None:
    """Say whether the guarded client would call `url`, for connecting a channel. Raises Invalid with a sentence."""
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise Invalid([Problem("address_not_allowed", f"this is not an address: {error}")]) from None
    scheme, host = parsed.scheme, parsed.host
    if scheme not in {"http", "https"} or not host:
        raise Invalid([Problem("address_not_allowed", "the address must start with https:// and name a host")])
    if parsed.userinfo:
        raise Invalid([Problem("address_not_allowed", "leave the user name and password out of the address")])
    port = parsed.port or (443 if scheme == "https" else 80)
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            addresses = await resolve(parsed.raw_host.decode("ascii"), port)
        permit(scheme, host, port, addresses, private_networks, places)
    except AddressRefused as error:
        raise Invalid([Problem("address_not_allowed", str(error))]) from None
    except (TimeoutError, OSError, UnicodeError):
        raise Invalid([Problem("address_not_found", f"the name {host} can't be found")]) from None
