"""Keys: read once, shown by name, revealed in one place; and taking them out of other people's texts."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NoReturn

MASK = "[redacted]"
LONGEST_MESSAGE = 500
_SHORTEST_SECRET = 6

# What keys look like in the wild: the prefixes providers print, bearer tokens, query parameters. Words
# that merely begin like one, as `api_connection_error`, are what an operator needs to read.
_LOOKS_SECRET = re.compile(
    r"""
      (?<![\w-])(?:sk|pk|rk|gsk|xai|hf|ghp|gho|glpat)[-_][A-Za-z0-9*_-]{12,}
    | (?<![\w-])(?:AIza|ya29\.)[A-Za-z0-9*_-]{12,}
    | (?<![\w-])(?:key|api)[-_](?=[A-Za-z*_-]*\d)[A-Za-z0-9*_-]{12,}
    | (?<=[Bb]earer\ )[^\s"',}]+
    | (?<=[?&])((?:api[_-]?)?key|access_token|token|sig|signature)=[^\s&"']+
    | (?<=://)[^\s/@:]+:[^\s/@]+(?=@)
    """,
    re.VERBOSE,
)


class Secret:
    """A key that does not show itself.

    Args:
        name: What to call it, as `openai#main`.
        value: The key.

    `repr`, `str` and formatting give the name only; it cannot be pickled or copied into JSON.
    """

    __slots__ = ("_value", "name")

    def __init__(self, name: str, value: str) -> None:
        self.name = name
        self._value = value

    def reveal(self) -> str:
        """The key itself. Called where a header is built, and nowhere else."""
        return self._value

    def __repr__(self) -> str:
        return f"Secret({self.name!r})"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and (self.name, self._value) == (other.name, other._value)

    def __hash__(self) -> int:
        return hash(self.name)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not pickled")


def redact(text: str, secrets: Iterable[Secret] = ()) -> str:
    """Text without keys, at most 500 characters.

    Args:
        text: Somebody else's words.
        secrets: Keys to look for by value.

    Returns:
        The text with every given key, and everything that looks like one, replaced.
    """
    # Cut late: a key that straddles the cut must be seen whole. Bounded first: a body may be huge.
    text = text[: LONGEST_MESSAGE * 8]
    # The longest first: one may begin as another does.
    for value in sorted((secret.reveal() for secret in secrets), key=len, reverse=True):
        if len(value) >= _SHORTEST_SECRET:
            text = text.replace(value, MASK)
    text = _LOOKS_SECRET.sub(MASK, text)
    if len(text) > LONGEST_MESSAGE:
        text = text[: LONGEST_MESSAGE - 1] + "…"
    return text


def checked_key(name: str, raw: str) -> Secret | str:
    """A key as it came from an environment variable or a file, stripped and checked.

    Args:
        name: What to call it.
        raw: What stood there.

    Returns:
        The secret, or what is wrong with it, in words that do not hold the value.
    """
    value = raw.strip()
    if not value:
        return "is empty"
    if not (value.isascii() and value.isprintable() and " " not in value):
        return "holds characters that no key has (only printable ASCII without blanks can go into a header)"
    return Secret(name, value)
