"""Addresses as a person writes them into the settings, and as browsers and sockets know them."""

import ipaddress
from urllib.parse import urlsplit

USUAL_PORTS = {"http": 80, "https": 443}


def is_origin(url: str) -> bool:
    try:
        parts = urlsplit(browser_origin(url))
    except (KeyError, ValueError):  # another scheme, a port or a name that cannot be
        return False
    given = urlsplit(url)
    return bool(parts.hostname) and not (
        given.path.strip("/") or given.query or given.fragment or given.username
    )


def browser_origin(url: str) -> str:
    """As a browser writes it, whatever way a person did: small letters, no usual port, IDNA (RFC 6454, 6.2).

    Raises KeyError for another scheme, ValueError for a port or a name that cannot be."""
    parts = urlsplit(url)
    usual = USUAL_PORTS[parts.scheme]
    host = parts.hostname or ""
    host = f"[{host}]" if ":" in host else host.encode("idna").decode()
    return f"{parts.scheme}://{host}" + (f":{parts.port}" if parts.port not in (None, usual) else "")


def is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return True
