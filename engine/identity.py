"""Who runs this: names for engines and for operators."""

from __future__ import annotations

import getpass
import os
import socket
import sys
from pathlib import Path
from typing import Final

NAME_VARIABLE: Final = "STANDBY_NAME"
LONGEST_NAME: Final = 80


def engine_name() -> str:
    """What `STANDBY_NAME` says, cut and printable; else this process, as `program:pid`."""
    named = os.environ.get(NAME_VARIABLE, "").strip()
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
