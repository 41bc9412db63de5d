"""The second fence against server-side request forgery: where a registered name leads.

A host name is resolved once per hook call, every answer is checked, and the connection goes to a
checked address, so a name server that changes its mind in between changes nothing. The first fence
is the allow list (`origins`). `ipaddress.is_global` alone is no fence: it calls the NAT64 spelling
of 127.0.0.1 global.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from cds_service.origins import NotLiteral, Url, literal_address

Resolve = Callable[[str, int], Sequence[str]]
"""(host, port) -> IP addresses. Raises OSError when there are none."""

_PRIVATE = tuple(
    ip_network(block) for block in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
)
_CARRIES_IPV4 = tuple(
    ip_network(block)  # mapped, NAT64 (RFC 6052, RFC 8215), Teredo, 6to4
    for block in ("::ffff:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "2001::/32", "2002::/16")
)


class AddressRefusedError(Exception):
    """The registered name leads to an address that may not be called."""


class Reach(StrEnum):
    """How far a *name* may lead. An IP address or `localhost` in a registered base names itself."""

    SITE = "site"
    """The public network, and the private ones of RFC 1918 and RFC 4193, where hospitals keep their
    servers."""
    ANYWHERE = "anywhere"
    """Sandbox mode."""


def system_resolve(host: str, port: int) -> Sequence[str]:
    """Ask the system's resolver."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def checked_addresses(url: Url, reach: Reach, resolve: Resolve) -> Sequence[str]:
    """The addresses to connect to, in the resolver's order.

    Raises AddressRefusedError if any of them may not be called, OSError if there are none.
    """
    if not isinstance(literal_address(url.host), NotLiteral):
        return [url.host]
    addresses = resolve(url.host, url.port)
    if not addresses:
        raise OSError("the name has no address")
    if not all(_may_be_called(url, ip_address(address), reach) for address in addresses):
        raise AddressRefusedError("the name leads to an address that may not be called")
    return addresses


def _may_be_called(url: Url, address: IPv4Address | IPv6Address, reach: Reach) -> bool:
    if url.is_loopback:
        return address.is_loopback
    return reach is Reach.ANYWHERE or not _is_special(address)


def _is_special(address: IPv4Address | IPv6Address) -> bool:
    """Loopback, link-local (cloud metadata), multicast, reserved, or IPv4 in disguise."""
    if any(address in block for block in _PRIVATE):  # which are not global either
        return False
    special = address.is_multicast or address.is_reserved or not address.is_global
    return special or any(address in block for block in _CARRIES_IPV4)
