"""What must not stand in a configuration: keys and passwords; and what of a file may be shown.

A configuration names the place a secret is read from. One that stands in the file itself is a fault,
and the fault must not repeat it: so nothing of a file is shown unless it passes `shown`.
"""

from __future__ import annotations

import re

HIDDEN = "(hidden: it looks like a key)"
_LONGEST_SHOWN = 80
_LONGEST_LOOKED_AT = 400  # far enough that no key is shown in part

# Vendors' prefixes, and 20 letters with digits in a row: neither stands in a name people give.
_KEY = re.compile(
    r"""
    (?<![A-Za-z0-9])
    (?: sk[-_][A-Za-z0-9_-]{6,}
      | (?:gsk|xai|hf|ghp|gho|glpat|pplx|nvapi|r8|fw|csk|tgp|pk|rk)[-_](?:live_|test_)?[A-Za-z0-9]{16,}
      | (?:AIza|ya29|AKIA|eyJ)[A-Za-z0-9._-]{12,}
    )
    """,
    re.VERBOSE,
)
_RUN = re.compile(r"[A-Za-z0-9+=]{20,}")
_SECRET_NAME = re.compile(
    r"(?:^|[-_])(?:authorization|cookie|token|secret|password|passwd|credentials?|api-?_?key|subscription-key)$",
    re.IGNORECASE,
)
_SECRET_KEYS = frozenset({"key", "value", "auth", "bearer", "access_token", "pass"})
_SCHEME = re.compile(r"^(?:bearer|basic|token|digest)\s+\S", re.IGNORECASE)
_URL_PASSWORD = re.compile(r"://[^\s/?#@:]*:[^\s/?#@]*@|[?&](?:password|passwd|auth|token)=", re.IGNORECASE)


def looks_like_key(text: str) -> bool:
    """Whether a text has the shape of a key rather than of a name."""
    return _KEY.search(text) is not None or any(
        re.search("[0-9]", run) and re.search("[A-Za-z]", run) for run in _RUN.findall(text)
    )


def names_a_secret(name: str) -> bool:
    """Whether a setting or a header of this name would hold a secret: `api_key`, `X-Auth-Token`."""
    return name.strip().lower() in _SECRET_KEYS or _SECRET_NAME.search(name.strip()) is not None


def holds_credentials(header_value: str) -> bool:
    """Whether a header's value is a credential, whatever the header's name: `Bearer …`.

    Letters and digits in a row do not count here: ids of organizations and projects look like that.
    """
    value = header_value.strip()
    return _SCHEME.match(value) is not None or _KEY.search(value) is not None


def holds_password(url: str) -> bool:
    """Whether a URL carries a password, before its host or in its query."""
    return _URL_PASSWORD.search(url) is not None


def shown(name: str) -> str:
    """A name from the file as a fault may show it: cut, printable, and never a key."""
    head = name[:_LONGEST_LOOKED_AT]
    if looks_like_key(head) or holds_password(head) or holds_credentials(head):
        return HIDDEN
    cut = name if len(name) <= _LONGEST_SHOWN else name[: _LONGEST_SHOWN - 1] + "…"
    return cut if cut.isprintable() else "".join(c if c.isprintable() else "�" for c in cut)


def quoted(name: str) -> str:
    """As `shown`, in quotes unless it is hidden."""
    name = shown(name)
    return name if name == HIDDEN else f"'{name}'"
