"""Where standby keeps files of its own."""

from __future__ import annotations

import os
from pathlib import Path


def expanded(path: str) -> str:
    """A path with `~` put in full. The home of nobody stays a name like any other."""
    return os.path.expanduser(path)  # noqa: PTH111 - `Path.expanduser` raises for an unknown user


def state_folder() -> Path:
    """The user's state folder for standby; need not exist yet."""
    from platformdirs import user_state_path  # noqa: PLC0415 - `import engine` is measured, and few ask

    return user_state_path("standby", appauthor=False)


def store_path() -> Path:
    """The file in which the bench and the journal are, unless the configuration says otherwise."""
    return state_folder() / "standby.db"
