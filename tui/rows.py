"""How many lines of a terminal a text takes: wrapped lines, tabs, wide characters and marks counted in."""

from __future__ import annotations

from typing import Final
from unicodedata import category, east_asian_width

_TAB: Final = 8
_NARROW: Final = (1, 1)
# Flags, skin tones, variation selectors: whether they take cells of their own is the terminal's taste.
_DISPUTED: Final = (*range(0x1F1E6, 0x1F200), *range(0x1F3FB, 0x1F400), *range(0xFE00, 0xFE10), 0x20E3)


class Rows:
    """Follows the cursor while text is written, from the first column on.

    Terminals don't agree on the width of every character. So two cursors are followed, one for the
    narrowest reading and one for the widest: where they end on one line, that line is certain.

    Args:
        columns: The terminal's width.
    """

    def __init__(self, columns: int) -> None:
        self._cursors = (_Cursor(columns), _Cursor(columns))
        self._after_joiner = False

    @property
    def down(self) -> int | None:
        """Lines that the cursor is below where it began; None if that can't be told."""
        narrowest, widest = self._cursors
        if narrowest.row != widest.row or narrowest.is_lost or widest.is_lost:
            return None
        return narrowest.row

    def feed(self, text: str) -> None:
        """Follows text that is safe for a terminal: no control character but line breaks and tabs."""
        for place, line in enumerate(text.split("\n")):
            if place:
                for cursor in self._cursors:
                    cursor.newline()
            if line.isascii() and line.isprintable():
                for cursor in self._cursors:
                    cursor.advance(len(line))
            else:
                self._feed_odd(line)

    def _feed_odd(self, line: str) -> None:
        for char in line:
            if char == "\t":
                for cursor in self._cursors:
                    cursor.tab()
                continue
            narrow, wide = _NARROW if char.isascii() else _cells(char)
            cells = (0 if self._after_joiner else narrow, wide)
            self._after_joiner = char == "\u200d"
            for cursor, width in zip(self._cursors, cells, strict=True):
                cursor.put(width)


class _Cursor:
    def __init__(self, columns: int) -> None:
        self._columns = max(1, columns)
        self._column = 0  # as many as there are columns: the next character wraps
        self.row = 0
        self.is_lost = columns < 2  # no room for a wide character

    def newline(self) -> None:
        self.row += 1
        self._column = 0

    def advance(self, cells: int) -> None:
        """Characters of one cell each."""
        end = self._column + cells
        if end > self._columns:
            self.row += (end - 1) // self._columns
            end = (end - 1) % self._columns + 1
        self._column = end

    def put(self, width: int) -> None:
        """One character."""
        if self._column + width > self._columns:
            self.row += 1
            self._column = 0
        self._column += width

    def tab(self) -> None:
        stop = (self._column // _TAB + 1) * _TAB
        # What a tab does at the right edge differs from terminal to terminal.
        self.is_lost |= stop >= self._columns
        self._column = min(stop, self._columns - 1)


def _cells(char: str) -> tuple[int, int]:
    """The narrowest and the widest reading of a character, in cells."""
    kind = category(char)
    if ord(char) in _DISPUTED or kind in ("Cf", "Cn", "Co", "Mc"):
        return 0, 2
    if kind in ("Mn", "Me"):
        return 0, 1
    # Those of "ambiguous" width, as é and Ω, are narrow but for a setting of some terminals in East Asia.
    return (2, 2) if east_asian_width(char) in ("W", "F") else _NARROW
