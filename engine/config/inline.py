"""What must not stand in a configuration: keys and passwords; and what of a file may be shown.

A configuration names the place a secret is read from. One that stands in the file itself is a fault,
and the fault must not repeat it: so nothing of a file is shown unless it passes `shown`.
"""

from __future__ import annotations

import re

from engine.secret import redact

HIDDEN = "(hidden: it looks like a key)"
_LONGEST_SHOWN = 80

# Vendors' prefixes, and 20 letters and digits in a row: neither stands in a name people give.
_KEY = re.compile(
    r"""
      ^(?:sk|pk|rk|gsk|xai|hf|ghp|gho|glpat|pplx|nvapi|r8|fw|csk|tgp)[-_][A-Za-z0-9_-]{6,}
    | ^(?:AIza|ya29|AKIA|eyJ)[A-Za-z0-9._-]{6,}
    | (?=[A-Za-z+=]*[0-9])(?=[0-9+=]*[A-Za-z])[A-Za-z0-9+=]{20,}
    """,
    re.VERBOSE,
)
_SECRET_NAME = re.compile(
    r"(?:^|[-_])(?:authorization|cookie|token|secret|password|passwd|credentials?|api-?_?key|subscription-key)$",
    re.IGNORECASE,
)
_SECRET_KEYS = frozenset({"key", "value", "auth", "bearer", "access_token", "pass"})
_SCHEME = re.compile(r"^(?:bearer|basic|token|digest)\s+\S", re.IGNORECASE)
_URL_PASSWORD = re.compile(r"://[^\s/?#@]*:[^\s/?#]*@|[?&](?:password|passwd|auth|token)=", re.IGNORECASE)


def looks_like_key(text: str) -> bool:
    """Whether a text has the shape of a key rather than of a name."""
    return _KEY.search(text.strip()) is not None


def names_a_secret(name: str) -> bool:
    """Whether a setting or a header of this name would hold a secret: `api_key`, `X-Auth-Token`."""
    return name.strip().lower() in _SECRET_KEYS or _SECRET_NAME.search(name.strip()) is not None


def holds_credentials(header_value: str) -> bool:
    """Whether a header's value is a credential, whatever the header's name: `Bearer …`."""
    return _SCHEME.match(header_value.strip()) is not None or looks_like_key(header_value)


def holds_password(url: str) -> bool:
    """Whether a URL carries a password, before its host or in its query."""
    return _URL_PASSWORD.search(url) is not None


def shown(name: str) -> str:
    """A name from the file as a fault may show it: cut, printable, and never a key."""
    if looks_like_key(name) or redact(name) != name[:500]:
        return HIDDEN
    cut = name if len(name) <= _LONGEST_SHOWN else name[: _LONGEST_SHOWN - 1] + "…"
    return cut if cut.isprintable() else "".join(c if c.isprintable() else "�" for c in cut)


def quoted(name: str) -> str:
    """As `shown`, in quotes unless it is hidden."""
    name = shown(name)
    return name if name == HIDDEN else f"'{name}'"
