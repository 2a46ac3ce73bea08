"""A line on the terminal that says how far the reading of a file is."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import Final, TextIO

from tui.output import is_terminal
from tui.text import safe_line

_FRAME: Final = len("reading  … 100 % ")


class Reading:
    """Call it with the share that is done. On standard error, if that is a terminal; else it says nothing.

    Args:
        name: The file's.
    """

    def __init__(self, name: str) -> None:
        self._stream: TextIO | None = sys.stderr if is_terminal(sys.stderr) else None
        self._name = safe_line(name)
        self._shown = ""

    def __call__(self, share: float) -> None:
        """Says how much is done, in [0, 1]."""
        if self._stream is None:
            return
        room = max(0, _columns(self._stream) - _FRAME)
        name = self._name
        if len(name) > room or not (name.isascii() or len(name) * 2 <= room):  # a character takes two at most
            name = name[: room if name.isascii() else room // 2]
        self._put(self._stream, f"reading {name} … {share * 100:.0f} %")

    def clear(self) -> None:
        """Takes the line away."""
        if self._stream is not None and self._shown:
            self._put(self._stream, "")

    def _put(self, stream: TextIO, line: str) -> None:
        if line == self._shown:
            return
        self._shown = line
        encoding = stream.encoding or "utf-8"
        blank = " " * (_columns(stream) - 1)  # no escape sequence: every terminal knows blanks
        with suppress(OSError, ValueError):
            stream.write(f"\r{blank}\r{line.encode(encoding, 'replace').decode(encoding)}")
            stream.flush()


def _columns(stream: TextIO) -> int:
    """How wide the terminal is; 80 where it does not say."""
    with suppress(OSError, ValueError):
        return os.get_terminal_size(stream.fileno()).columns or 80
    return 80
