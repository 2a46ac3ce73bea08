"""From what the configuration says of the store to the store itself."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from engine.places import store_path
from engine.store.address import from_variable, store_address, without_secrets
from engine.store.base import StoreRefused

if TYPE_CHECKING:
    from engine.store.base import Store


def open_store(text: str) -> Store | None:
    """The store that a configuration names; not connected yet.

    Args:
        text: auto, memory, sqlite:PATH, redis://…, rediss://…, or env:NAME, whose variable holds one of
            these.

    Returns:
        None for memory: the bench is the engine's own.

    Raises:
        StoreRefused: It can't be used as it is written, the variable is not set or makes no sense, or a
            package that it needs is missing. No value of a variable is in the message.
    """
    address = _address(text)
    if address == "memory":
        return None
    if address.startswith("sqlite:"):
        from engine.store.sqlite import SqliteStore  # noqa: PLC0415 - nobody pays for the other

        return SqliteStore(Path(address.removeprefix("sqlite:")))
    if not _is_installed("redis"):
        raise StoreRefused("a store in Redis needs the package redis: pip install 'standby[redis]'")
    from engine.store.redis import RedisStore  # noqa: PLC0415 - nobody pays for the other

    return RedisStore(address)


def store_name(text: str) -> str:
    """What the store is called in front of people: a path, a URL without its password, or `memory`.

    Args:
        text: As for `open_store`; what makes no sense is called by what it is written as, `env:NAME`.
    """
    try:
        address = _address(text)
    except StoreRefused:
        return text if text.startswith("env:") else "unknown"
    if address.startswith("redis"):
        return without_secrets(address)
    return address.removeprefix("sqlite:")


def _is_installed(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except ValueError:  # somebody has put something of that name in its place
        return False


def _address(text: str) -> str:
    """Where the store is, variables read and `auto` settled."""
    try:
        address = store_address(text, Path.cwd())
    except ValueError as error:
        raise StoreRefused(f"the store: {error}") from None
    name = address.removeprefix("env:")
    if name != address:
        value = os.environ.get(name)
        if value is None:
            raise StoreRefused(f"the store is to be read from {name}, and {name} is not set")
        try:
            address = from_variable(value)
        except ValueError as error:
            raise StoreRefused(
                f"the store is to be read from {name}, and that makes no sense: {error}"
            ) from None
    return f"sqlite:{store_path()}" if address == "auto" else address
