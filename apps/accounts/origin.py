"""From which network a request comes: enough to notice a stranger, too little to point at a person."""

from ipaddress import ip_address, ip_network

from allauth.account.adapter import get_adapter
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

PREFIX_OF_VERSION = {4: 24, 6: 48}


def network_of(request: HttpRequest) -> str:
    """The client's network, such as 203.0.113.0/24; empty when the address is not known."""
    try:
        return network_of_address(get_adapter(request).get_client_ip(request))
    except PermissionDenied:
        return ""


def network_of_address(text: str) -> str:
    try:
        address = ip_address(text)
    except ValueError:
        return ""
    return str(ip_network((address, PREFIX_OF_VERSION[address.version]), strict=False))
