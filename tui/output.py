"""What commands print: answers and lists on stdout, everything else on stderr; always safe for a terminal."""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TextIO

from tui.exits import OutputLost
from tui.text import safe_block, safe_line

_RED, _DIM, _RESET = "\x1b[31m", "\x1b[2m", "\x1b[0m"


class Output:
    """Standard output.

    A terminal gets text in which control, C1 and bidi characters are pictures. A pipe or a file gets
    the text as it is, in UTF-8.
    """

    def __init__(self) -> None:
        self._stream: TextIO | None = sys.stdout
        self.is_terminal = is_terminal(sys.stdout)
        self._at_line_start = True

    def write(self, text: str) -> None:
        """Writes text through to whoever reads it.

        Raises:
            OutputLost: It can't be written: the reader went away, the disk is full, stdout is closed.
        """
        if not text:
            return
        if self._stream is None:
            raise OutputLost(OSError(errno.EBADF, "it is closed"))
        self._at_line_start = text.endswith("\n")
        with _losses(self._stream) as stream:
            if self.is_terminal:
                stream.write(_encodable(safe_block(text), stream))
            else:
                stream.buffer.write(text.encode("utf-8", "replace"))
            stream.flush()

    def line(self, text: str = "") -> None:
        """Writes one line; line breaks inside it are shown as pictures.

        Raises:
            OutputLost: As for `write`.
        """
        self.write(safe_line(text) + "\n")

    def flush(self) -> None:
        """Sends on what others, as argparse, have printed.

        Raises:
            OutputLost: As for `write`.
        """
        if self._stream is not None:
            with _losses(self._stream) as stream:
                stream.flush()

    def end_line(self) -> None:
        """Ends the line that was begun, if one was."""
        if not self._at_line_start:
            self.write("\n")


class Notes:
    """Standard error: progress and what went wrong. Losing it stops nothing.

    Args:
        beside: Standard output, if it may share the terminal; a line it began is ended first.
    """

    def __init__(self, beside: Output | None = None) -> None:
        self._beside = beside if beside is not None and beside.is_terminal else None
        self._stream: TextIO | None = sys.stderr
        plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
        self._coloured = is_terminal(sys.stderr) and not plain

    def line(self, text: str, *, head: str = "", bad: bool = False) -> None:
        """Writes one line.

        Args:
            text: What to say; line breaks inside it are shown as pictures.
            head: A word of ours before it, with a colour where colours are welcome.
            bad: Whether the line tells of something that went wrong.
        """
        if self._stream is None:
            return
        if self._beside is not None:
            with suppress(OutputLost):
                self._beside.end_line()
        if head and self._coloured:
            head = f"{_RED if bad else _DIM}{head}{_RESET}"
        try:
            self._stream.write(_encodable(f"{head}{safe_line(text)}\n", self._stream))
            self._stream.flush()
        except (OSError, ValueError):
            _abandon(self._stream)
            self._stream = None

    def error(self, message: str, *, plain: bool = False) -> None:
        """Writes what went wrong, each of its lines as one line.

        Args:
            message: What went wrong and what to do about it.
            plain: Whether to leave out who says it.
        """
        for place, line in enumerate(message.splitlines() or [""]):
            self.line(line, head="" if place or plain else "standby: ", bad=True)


def is_terminal(stream: TextIO | None) -> bool:
    """Whether a standard stream is a terminal; a closed one is none."""
    try:
        return stream is not None and stream.isatty()
    except ValueError:
        return False


@contextmanager
def _losses(stream: TextIO) -> Iterator[TextIO]:
    try:
        yield stream
    except OSError as error:
        _abandon(stream)
        raise OutputLost(error) from None


def _encodable(text: str, stream: TextIO) -> str:
    encoding = stream.encoding or "utf-8"
    return text.encode(encoding, "replace").decode(encoding)


def _abandon(stream: TextIO) -> None:
    # What is still buffered is flushed again when Python exits, and would change the exit code.
    if isinstance(stream, io.TextIOWrapper) and not stream.closed:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
