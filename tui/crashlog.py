"""What is kept of a crash: where it happened and what it said, without keys and without locals."""

from __future__ import annotations

import os
import platform
import re
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from engine import redact
from tui.places import log_path
from tui.text import safe_line

_LARGEST_LOG = 1 << 20
_SHORTEST_VALUE = 6
_NAMES_A_SECRET = re.compile(r"KEY|TOKEN|SECRET|PASSW|CREDENTIAL", re.IGNORECASE)


def write_crash(error: BaseException, path: Path | None = None) -> Path | None:
    """Appends a crash to the log.

    The traceback's frames and messages are kept; locals never are, and every line is redacted.

    Args:
        error: What nobody caught.
        path: The log; None for the usual one.

    Returns:
        The log, or None if it could not be written.
    """
    text = "\n".join(_lines(error)) + "\n"
    try:
        path = log_path() if path is None else path
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if path.exists() and path.stat().st_size > _LARGEST_LOG:
            path.replace(path.with_name(path.name + ".1"))
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace") as log:
            log.write(text)
    except (OSError, ImportError):  # what knows the user's folders may be what is broken
        return None
    return path


def summary(error: BaseException) -> str:
    """One redacted line that says what happened."""
    text = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return safe_line(_redacted(text))


def _lines(error: BaseException) -> Iterator[str]:
    yield f"--- {datetime.now(UTC).isoformat(timespec='seconds')} python {platform.python_version()}"
    for chunk in traceback.format_exception(error):
        for line in chunk.splitlines():
            yield safe_line(_redacted(line))


def _redacted(line: str) -> str:
    # A message of somebody else's may quote a key that has no known shape; most come from here.
    for name, value in os.environ.items():
        if len(value) >= _SHORTEST_VALUE and _NAMES_A_SECRET.search(name):
            line = line.replace(value, "[redacted]")
    return redact(line)
