"""Who runs this: names for engines and for operators."""

from __future__ import annotations

import getpass
import os
import socket
import sys
from pathlib import Path
from typing import Final
from uuid import uuid4

NAME_VARIABLE: Final = "STANDBY_NAME"
LONGEST_NAME: Final = 80


class Identity:
    """Who an engine is, settled where it is first used.

    A process forked off before that has an engine of its own, and not its parent's.

    Args:
        name: Its name, cut and made printable; see `engine_name`.

    Raises:
        TypeError: The name is no text.
    """

    def __init__(self, name: str | None = None) -> None:
        if name is not None and not isinstance(name, str):
            raise TypeError(f"name is {type(name).__name__}, not text")
        self._given = name or ""
        self._name = self._run = ""
        self._pid = 0
        self._is_settled = False

    @property
    def name(self) -> str:
        """What its events call it."""
        self._make()
        return self._name

    @property
    def run(self) -> str:
        """Unique, also among engines of one name."""
        self._make()
        return self._run

    @property
    def pid(self) -> int:
        """Its process."""
        self._make()
        return self._pid

    def settle(self) -> str:
        """From now on it stays as it is; returns the name."""
        name = self.name
        self._is_settled = True
        return name

    @property
    def is_elsewhere(self) -> bool:
        """True in a process that was forked off after it was settled."""
        return self._is_settled and self._pid != os.getpid()

    def _make(self) -> None:
        if not self._is_settled and self._pid != os.getpid():
            self._pid, self._run = os.getpid(), uuid4().hex
            self._name = engine_name(self._given)


def engine_name(given: str = "") -> str:
    """A name that was given, else what `STANDBY_NAME` says, cut and printable; else `program:pid`.

    Args:
        given: The name; a blank one is none.
    """
    named = given.strip() or os.environ.get(NAME_VARIABLE, "").strip()
    if named:
        return "".join(each if each.isprintable() else "\ufffd" for each in named[:LONGEST_NAME])
    path = Path(sys.argv[0] or "python")
    program = path.parent.name if path.stem == "__main__" else path.stem
    return f"{program}:{os.getpid()}"


def operator_name() -> str:
    """Whoever sits here, as `user@host`."""
    try:
        user = getpass.getuser()
    except (OSError, KeyError):  # a container's user may have no name
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"
