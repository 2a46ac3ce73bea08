"""Which proxy leads to a provider: the configured one, else what the environment says."""

from __future__ import annotations

import ipaddress
import urllib.request
from urllib.parse import urlsplit


def proxy_for(base_url: str, configured: str | None = None) -> str | None:
    """The proxy that requests to a provider go through.

    The environment is read as everywhere (`HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`, in
    either case; on macOS and Windows the system's settings where those are not set). A server on this
    machine is never reached through a proxy of the environment: most of those do not lead back here.

    Args:
        base_url: Where the provider answers.
        configured: The provider's own `proxy:`, which always holds.

    Returns:
        The proxy's URL, None for a direct connection.
    """
    if configured:
        return configured
    try:
        place = urlsplit(base_url)
        host, port = place.hostname or "", place.port
    except ValueError:
        return None  # what is wrong with the URL is told where it is used
    if not host or _is_loopback(host):
        return None
    proxies = urllib.request.getproxies()
    proxy = proxies.get(place.scheme) or proxies.get("all")
    if not proxy or urllib.request.proxy_bypass(f"{host}:{port}" if port else host):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")  # RFC 6761
