"""The configuration that a command works with."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from engine import Config, ConfigError, load_config, store_address
from tui.exits import Exit


def configured(path: str | None, *, store: str | None = None) -> Config:
    """The configuration in force, with what the command line changes about it.

    Args:
        path: What `--config` said, None where it said nothing.
        store: What `--store` said.

    Raises:
        Exit: It has faults, each on a line of its own; or there is no such store.
    """
    try:
        return with_store(load_config(path), store)
    except ConfigError as error:
        raise Exit(str(error), plain=True) from None


def with_store(config: Config, store: str | None) -> Config:
    """A configuration with the store that `--store` names; as it is if the option was not given.

    Raises:
        Exit: There is no such store.
    """
    if store is None:
        return config
    try:
        return replace(config, store=store_address(store, Path.cwd()))
    except ValueError as error:
        raise Exit(f"--store: {error}") from None
