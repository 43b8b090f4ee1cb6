"""Which address a request comes from, and whether it lies within given ranges."""

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from django.conf import settings

Network = IPv4Network | IPv6Network


def client_address(peer: str, forwarded_for: str) -> IPv4Address | IPv6Address | None:
    """The peer's, or behind proxies that we trust the one that the outermost of them saw; None when it is none."""
    proxies = int(getattr(settings, "ALLAUTH_TRUSTED_PROXY_COUNT", 0))
    if proxies:
        told = [part.strip() for part in forwarded_for.split(",")]
        peer = told[-proxies] if len(told) >= proxies else ""
    try:
        found = ip_address(peer)
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found


def is_within(address: IPv4Address | IPv6Address | None, ranges: Iterable[str]) -> bool:
    return address is not None and any(address in _network(one) for one in ranges)


def read_range(text: str) -> str:
    """In its one form; a single address is a range of one. ValueError for what is none."""
    return str(ip_network(text.strip(), strict=False))


@lru_cache(4096)
def _network(text: str) -> Network:
    return ip_network(text)
