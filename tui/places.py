"""Where standby keeps files of its own, the configuration and the store apart."""

from __future__ import annotations

from pathlib import Path

from engine import state_folder


def log_path() -> Path:
    """The log that crashes are written to."""
    return state_folder() / "standby.log"


def history_path() -> Path:
    """The prompts typed in the dashboard."""
    return state_folder() / "history.jsonl"
