"""What may stand behind `store:` and `--store`: auto, memory, a file, a server, or a variable that names one.

Nothing of what was written is ever repeated in an error, unless it nearly fits: it may hold a password.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, urlsplit

from engine.config.inline import holds_password
from engine.places import expanded
from engine.suggest import nearest

FORMS: Final = (
    "auto", "memory", "sqlite:PATH", "redis://HOST:PORT/DB", "rediss://HOST:PORT/DB", "env:NAME",
)  # fmt: skip
SECRET: Final = "an inline secret: put the URL into an environment variable and write `store: env:NAME`"  # noqa: S105 - it tells of one

_SCHEMES: Final = {form.partition(":")[0]: form for form in FORMS if ":" in form}
_WORDS: Final = tuple(form for form in FORMS if ":" not in form)
_REDIS: Final = ("redis://", "rediss://")
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_HOST: Final = re.compile(r"[\w.-]+|[0-9A-Fa-f:.]+")
_LARGEST_DB: Final = 2**31 - 1
_LONGEST_WORD: Final = 16
_LISTED: Final = ", ".join(FORMS)


def store_address(text: str, folder: Path) -> str:
    """What a configuration or an option says of the store, in the form in which the engine keeps it.

    Args:
        text: One of `FORMS`.
        folder: What a relative path of a file is relative to.

    Returns:
        The same, with a path made absolute and `~` expanded.

    Raises:
        ValueError: It is none of them; says what is wrong with it, and not what was written.
    """
    if holds_password(text):
        raise ValueError(SECRET)
    if text in _WORDS:
        return text
    if text.startswith("sqlite:"):
        return f"sqlite:{_file(text.removeprefix('sqlite:'), folder)}"
    if text.startswith(_REDIS):
        _check_url(text)
        return text
    if text.startswith("env:"):
        if not _VARIABLE.fullmatch(text.removeprefix("env:")):
            raise ValueError(
                "after `env:` stands the name of an environment variable (letters, digits, _), "
                "and nothing of what it holds"
            )
        return text
    raise ValueError(_unknown(text))


def from_variable(text: str) -> str:
    """As `store_address`, for what a variable holds: a URL may have a user, a password and a query.

    Raises:
        ValueError: It is none that makes sense there.
    """
    text = text.strip()
    if not text:
        raise ValueError("it is empty")
    if text.startswith("env:"):
        raise ValueError("it names a variable again")
    if text.startswith(_REDIS):
        _check_url(text, may_hold_secrets=True)
        return text
    if text.startswith("sqlite:") and not Path(expanded(text.removeprefix("sqlite:"))).is_absolute():
        # A program that starts in another folder would have another store, and nobody would see it.
        raise ValueError("the path after `sqlite:` must be an absolute one there")
    if text not in _WORDS and not text.startswith("sqlite:"):
        raise ValueError(f"must be one of {_LISTED}")
    return store_address(text, Path("/"))


def without_secrets(url: str) -> str:
    """A server's URL with neither user, password nor query."""
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    port = f":{parts.port}" if parts.port is not None else ""
    return f"{parts.scheme}://{host}{port}{parts.path}"


def _file(path: str, folder: Path) -> Path:
    if not path.strip():
        raise ValueError("a path is missing after `sqlite:`, as in sqlite:/var/lib/standby/standby.db")
    if path.startswith("//"):
        raise ValueError("the path follows `sqlite:` at once, without `//`, as in sqlite:/var/lib/standby.db")
    if path == ":memory:":
        raise ValueError("a store in memory is written `memory`")
    if path.endswith(("/", os.sep)):
        raise ValueError("names a folder; name a file in it, as in sqlite:/var/lib/standby/standby.db")
    return Path(os.path.abspath(folder / expanded(path)))  # noqa: PTH100 - `resolve` would follow links


def _check_url(text: str, *, may_hold_secrets: bool = False) -> None:
    try:
        url = urlsplit(text)
        port = url.port
    except ValueError:
        raise ValueError(f"the port must be a number up to 65535, {_as_url(text)}") from None
    if not may_hold_secrets and (url.username is not None or url.password is not None):
        raise ValueError(SECRET)
    if not may_hold_secrets and ("?" in text or "#" in text):
        raise ValueError(
            "must not have a query or a fragment; a URL in a variable may: write `store: env:NAME`"
        )
    if not _is_host(url) or any(character.isspace() for character in text):
        raise ValueError(f"must name a host, {_as_url(text)}")
    if port == 0:
        raise ValueError(f"the port must be at least 1, {_as_url(text)}")
    number = url.path.removeprefix("/")
    if number and not (number.isascii() and number.isdigit() and int(number) <= _LARGEST_DB):
        raise ValueError(f"what follows the host is the number of a database, {_as_url(text)}")


def _is_host(url: SplitResult) -> bool:
    host = url.hostname or ""
    return _HOST.fullmatch(host) is not None and not host.startswith(".") and ".." not in host


def _as_url(text: str) -> str:
    return f"as in {text.partition(':')[0]}://127.0.0.1:6379/0"


def _unknown(text: str) -> str:
    scheme, colon, _ = text.partition(":")
    if scheme in _SCHEMES:
        return f"must be written {_SCHEMES[scheme]}"
    if text.startswith(("/", "~", "./", "../")) or text.endswith((".db", ".sqlite", ".sqlite3")):
        return f"a file is written sqlite:PATH (one of {_LISTED})"
    near = nearest(scheme, _SCHEMES if colon else _WORDS, most=1) if len(scheme) <= _LONGEST_WORD else ()
    if near:
        form = _SCHEMES.get(near[0], near[0])
        return f"unknown value '{scheme}{':…' if colon else ''}'; did you mean '{form}'? (one of {_LISTED})"
    return f"must be one of {_LISTED}"
