"""`standby paths`: where the configuration and standby's own files are."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from engine import ConfigError, load_config, sample_path, state_folder, store_name, user_config_path
from tui.cli.parser import Parser, command_parser
from tui.cli.table import columns
from tui.exits import DONE
from tui.output import Output
from tui.places import history_path, log_path


def parser() -> Parser:
    """How `standby paths` is written."""
    return command_parser("paths")


def run(arguments: argparse.Namespace) -> int:
    """Prints each place, whether something is there, and where the configuration in force comes from.

    Returns:
        0, also if files are missing.
    """
    path, source = _in_force(arguments.config)
    places = [
        ("config in force", path, source),
        ("user config", user_config_path(), ""),
        ("packaged sample", sample_path(), ""),
        ("state folder", state_folder(), ""),
        ("prompt history", history_path(), ""),
        ("log", log_path(), ""),
    ]
    rows = [(name, "exists" if path.exists() else "missing", f"{path}{note}") for name, path, note in places]
    out = Output()
    for line in columns([*rows, _store(arguments.config)]):
        out.line(line)
    return DONE


def _store(config: str | None) -> tuple[str, str, str]:
    """Where the bench and the journal are, as the configuration in force says."""
    try:
        written = load_config(config).store
    except ConfigError:
        return "store", "unknown", "the configuration has faults: standby check names them"
    name = store_name(written)
    source = "" if written.endswith(name) else f"  (store: {written})"
    if not Path(name).is_absolute():  # a server, or the memory of each process
        return "store", "-", f"{name}{source}"
    return "store", "exists" if Path(name).exists() else "missing", f"{name}{source}"


def _in_force(given: str | None) -> tuple[Path, str]:
    if given is not None:
        return Path(given), "  (from --config)"
    named = os.environ.get("STANDBY_CONFIG")
    if named:
        return Path(named), "  (from STANDBY_CONFIG)"
    user = user_config_path()
    if user.exists():
        return user, "  (the user's)"
    return sample_path(), "  (the packaged sample: standby init writes one of your own)"
