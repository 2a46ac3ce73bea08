"""How a command ends: its exit code, and the way to end one early with a message."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

DONE = 0
FAILED = 1
"""The request failed, or something outside of standby's hands did."""
USAGE = 2
"""Usage, configuration or unknown target: nothing was sent."""
SIGNALLED = 128
"""Plus the signal's number: the shell's own convention, so 143 for SIGTERM."""
INTERRUPTED = SIGNALLED + 2
"""Ctrl+C."""
BROKEN_PIPE = 141
"""Whoever read our output went away: 128 + SIGPIPE, as for any other program in a pipe."""


class Exit(Exception):
    """Ends a command with one clear message.

    Attributes:
        message: What is wrong and what to do about it; lines are printed one by one.
        code: The exit code.
        plain: Whether the lines are in a form of their own, as `FILE:LINE:COLUMN: …`, that programs read.
    """

    def __init__(self, message: str, code: int = USAGE, *, plain: bool = False) -> None:
        self.message = message
        self.code = code
        self.plain = plain
        super().__init__(message)


class OutputLost(Exception):
    """Standard output can't be written any more.

    Attributes:
        cause: What the system said; a `BrokenPipeError` is no fault of anybody.
        done: What the command had done by then, in a few words; empty for one that changes nothing.
    """

    def __init__(self, cause: OSError) -> None:
        self.cause = cause
        self.done = ""
        super().__init__(str(cause))


@contextmanager
def that_it_is_done(what: str = "done") -> Iterator[None]:
    """Around what a command prints after it has acted: if that is lost, standard error tells that it has.

    Args:
        what: What it has done.
    """
    try:
        yield
    except OutputLost as lost:
        lost.done = what
        raise
