"""What commands print: answers and lists on stdout, everything else on stderr; always safe for a terminal."""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple, TextIO

from tui.exits import OutputLost
from tui.rows import Rows
from tui.text import safe_block, safe_line

_RED, _DIM, _RESET = "\x1b[31m", "\x1b[2m", "\x1b[0m"


class Note(NamedTuple):
    """One line of progress, as `Notes.line` takes it.

    Attributes:
        text: What to say; line breaks inside it are shown as pictures.
        head: A word of ours before it, with a colour where colours are welcome.
        bad: Whether the line tells of something that went wrong.
        dim: Whether all of it steps back.
    """

    text: str
    head: str = ""
    bad: bool = False
    dim: bool = False


class Output:
    """Standard output.

    A terminal gets text in which control, C1 and bidi characters are pictures. A pipe or a file gets
    the text as it is, in UTF-8.

    Attributes:
        is_terminal: Whether it is one.
        between: Lines of progress that the same terminal has got since `mark`.
    """

    def __init__(self) -> None:
        self._stream: TextIO | None = sys.stdout
        self.is_terminal = is_terminal(sys.stdout)
        self._at_line_start = True
        self._rows: Rows | None = None
        self._size = os.terminal_size((0, 0))
        self.between: list[Note] = []

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
                shown = _encodable(safe_block(text), stream)
                if self._rows is not None:
                    self._rows.feed(shown)
                stream.write(shown)
            else:
                stream.buffer.write(text.encode("utf-8", "replace"))
            stream.flush()

    def line(self, text: str = "") -> None:
        """Writes one line; line breaks inside it are shown as pictures.

        Raises:
            OutputLost: As for `write`.
        """
        self.write(safe_line(text) + "\n")

    def aside(self, text: str) -> None:
        """Writes a line of ours that steps back where colours are welcome. What was marked is let go.

        Raises:
            OutputLost: As for `write`.
        """
        self.end_line()
        self._raw(_DIM if are_colours_welcome(self._stream) else "")
        self.write(safe_line(text))
        self._raw(_RESET if are_colours_welcome(self._stream) else "")
        self.write("\n")
        self._let_go()

    # Taking back, on a terminal

    @property
    def is_marked(self) -> bool:
        """Whether `take_back` has a place to go back to."""
        return self._rows is not None

    def mark(self) -> None:
        """Remembers this place, the beginning of a line; a place that is remembered already stays."""
        if self._rows is None and self._stream is not None:
            self._size = _terminal_size(self._stream)
            self._rows = Rows(self._size.columns)

    def seen(self, note: Note, line: str) -> None:
        """Hears of a line that `Notes` writes to the same terminal, without its colours."""
        if self._rows is not None:
            self._rows.feed(line)
            self.between.append(note)

    def take_back(self) -> bool:
        """Takes everything since `mark` off the terminal.

        Returns:
            False if nothing could be done: it is no longer on the screen as a whole, or the terminal's
            size or its idea of a character's width leave the place in doubt.

        Raises:
            OutputLost: As for `write`.
        """
        down = self._rows.down if self._rows is not None else None
        if down is None or self._stream is None or down >= self._size.lines:
            return False
        if _terminal_size(self._stream) != self._size:
            return False
        self._raw((f"\x1b[{down}A" if down else "") + "\r\x1b[J")
        self._at_line_start = True
        self._let_go()
        return True

    def _let_go(self) -> None:
        self._rows = None
        self.between = []

    def _raw(self, text: str) -> None:
        if text and self._stream is not None:
            with _losses(self._stream) as stream:
                stream.write(text)
                stream.flush()

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
        self._coloured = are_colours_welcome(sys.stderr)
        self._shares = self._beside is not None and _is_one_terminal(sys.stdout, sys.stderr)

    def line(self, text: str, head: str = "", bad: bool = False, dim: bool = False) -> None:
        """Writes one line; see `Note`."""
        if self._stream is None:
            return
        note = Note(text, head, bad, dim)
        if self._beside is not None:
            with suppress(OutputLost):
                self._beside.end_line()
        line = _encodable(f"{head}{safe_line(text)}\n", self._stream)
        if self._beside is not None and self._shares:
            self._beside.seen(note, line)
        length = len(line) - 1 if dim else len(head)
        if self._coloured and length:
            line = f"{_RED if bad else _DIM}{line[:length]}{_RESET}{line[length:]}"
        try:
            self._stream.write(line)
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


def are_colours_welcome(stream: TextIO | None) -> bool:
    """Whether a standard stream is a terminal whose user has nothing against colours."""
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return is_terminal(stream) and not plain


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


def _is_one_terminal(one: TextIO, other: TextIO) -> bool:
    if not (is_terminal(one) and is_terminal(other)):
        return False
    with suppress(OSError, ValueError):
        return os.fstat(one.fileno()).st_rdev == os.fstat(other.fileno()).st_rdev
    return False


def _terminal_size(stream: TextIO) -> os.terminal_size:
    try:
        return os.get_terminal_size(stream.fileno())
    except (OSError, ValueError):
        return os.terminal_size((0, 0))


def _encodable(text: str, stream: TextIO) -> str:
    encoding = stream.encoding or "utf-8"
    return text.encode(encoding, "replace").decode(encoding)


def _abandon(stream: TextIO) -> None:
    # What is still buffered is flushed again when Python exits, and would change the exit code.
    if isinstance(stream, io.TextIOWrapper) and not stream.closed:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
