"""Who runs this: names for engines and for operators."""

from __future__ import annotations

import getpass
import os
import socket
import sys
from pathlib import Path


def engine_name() -> str:
    """This process, as `program:pid`."""
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
