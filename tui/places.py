"""Where standby keeps files of its own, the configuration apart."""

from __future__ import annotations

from pathlib import Path

from platformdirs import user_state_path


def state_folder() -> Path:
    """The user's state folder for standby; need not exist yet."""
    return user_state_path("standby", appauthor=False)


def log_path() -> Path:
    """The log that crashes are written to."""
    return state_folder() / "standby.log"


def history_path() -> Path:
    """The prompts typed in the dashboard."""
    return state_folder() / "history.jsonl"
