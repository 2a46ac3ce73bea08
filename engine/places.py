"""Where standby keeps files of its own."""

from __future__ import annotations

from pathlib import Path


def state_folder() -> Path:
    """The user's state folder for standby; need not exist yet."""
    # Imported when it is asked for: `import engine` is measured, and many programs never ask.
    from platformdirs import user_state_path  # noqa: PLC0415

    return user_state_path("standby", appauthor=False)


def store_path() -> Path:
    """The file in which the bench and the journal are, unless the configuration says otherwise."""
    return state_folder() / "standby.db"
