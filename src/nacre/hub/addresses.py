"""Addresses of clients, as far as limits are kept by them."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_network


def counted_as(address: str) -> str:
    """Return what an address counts as for limits: an IPv6 one as its /64, which one client has.

    >>> counted_as("2001:db8::1:2"), counted_as("192.0.2.1"), counted_as("")
    ('2001:db8::/64', '192.0.2.1', '')
    """
    if ":" not in address:
        return address
    try:
        parsed = IPv6Address(address.partition("%")[0])
    except ValueError:
        return address
    if parsed.ipv4_mapped:
        return str(parsed.ipv4_mapped)
    return str(ip_network((parsed, 64), strict=False))
