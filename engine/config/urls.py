"""Checks of what goes into a request line or a header: URLs, header names and values."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, urlsplit

from engine.config.inline import holds_credentials, holds_password, looks_like_key, names_a_secret, shown
from engine.config.spot import Entry, Section, Spot

_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")  # RFC 9110, 5.6.2
_HOST = re.compile(r"[\w.-]+|[0-9A-Fa-f:.]+")
_OWN_HEADERS = frozenset(
    {
        "host",
        "connection",
        "content-length",
        "content-type",
        "transfer-encoding",
        "accept-encoding",
        "upgrade",
    }
)
_KEYS = "keys are read from where `keys` says"


def read_url(spot: Spot) -> str | None:
    """An http or https URL without user, query and fragment; slashes at its end are taken off."""
    text = spot.text("a URL")
    if text is None:
        return None
    wrong = _wrong_with_url(text)
    if wrong:
        spot.fault(wrong)
        return None
    return text.rstrip("/")


def _wrong_with_url(text: str) -> str:
    try:
        url = urlsplit(text)
        port = url.port
    except ValueError:
        return "is not a URL that can be read; check its host and port"
    if url.username is not None or url.password is not None or holds_password(text):
        return f"an inline secret: a URL here has no user and no password; {_KEYS}"
    if looks_like_key(url.query) or any(
        names_a_secret(part.partition("=")[0]) for part in url.query.split("&")
    ):
        return f"an inline secret: no key goes into a URL; {_KEYS}"
    if url.scheme not in {"http", "https"}:
        return "must begin with http:// or https://"
    if not _is_host(url) or port == 0 or any(c.isspace() for c in text):
        return "is not a URL that can be read; check its host and port"
    if url.query or url.fragment or text.endswith(("?", "#")):
        return "must not have a query or a fragment; paths are appended to it"
    return ""


def _is_host(url: SplitResult) -> bool:
    host = url.hostname or ""
    return _HOST.fullmatch(host) is not None and not host.startswith(".") and ".." not in host


def read_headers(section: Section) -> dict[str, str]:
    """Headers that go with each call; none that carries a secret, none that the call sets itself."""
    found: dict[str, str] = {}
    firsts: dict[str, str] = {}
    for entry in section.entries():
        value = _read_header(entry)
        lower = entry.name.lower()
        if lower in firsts:
            entry.key.fault(f"the same header as {shown(firsts[lower])}; remove one")
        elif value is not None:
            found[entry.name] = value
        firsts.setdefault(lower, entry.name)
    return found


def _read_header(entry: Entry) -> str | None:
    name = entry.name.lower()
    if names_a_secret(name):
        entry.key.fault(f"an inline secret: this header carries a key; {_KEYS}")
    elif not _TOKEN.fullmatch(entry.name):
        entry.key.fault("is not a legal name of a header (letters, digits and -)")
    elif name in _OWN_HEADERS:
        entry.key.fault("is set by each call itself; remove it")
    else:
        return _header_value(entry.value)
    return None


def _header_value(spot: Spot) -> str | None:
    value = spot.text("a header's value")
    if value is None:
        return None
    if holds_credentials(value):
        spot.fault(f"an inline secret: this value looks like a key; {_KEYS}")
    elif not value.isascii():
        spot.fault("must be printable ASCII, as every header")
    else:
        return value.strip()
    return None
