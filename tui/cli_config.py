"""The configuration that a command works with."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from engine import Config, ConfigError, load_config
from tui.exits import Exit

_STORES: Final = ("auto", "memory")


def configured(path: str | None, *, store: str | None = None) -> Config:
    """The configuration in force, with what the command line changes about it.

    Args:
        path: What `--config` said, None where it said nothing.
        store: What `--store` said.

    Raises:
        Exit: It has faults, each on a line of its own; or there is no such store.
    """
    if store is not None and store not in _STORES:
        raise Exit(f"--store {store}: this version has {' and '.join(_STORES)}, both in this process")
    try:
        config = load_config(path)
    except ConfigError as error:
        raise Exit(str(error), plain=True) from None
    return config if store is None else replace(config, store=store)
