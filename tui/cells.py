"""Text fitted into columns of a terminal, where a character may take two cells or none."""

from __future__ import annotations

from functools import lru_cache

from rich.cells import cell_len, set_cell_size

from tui.glyphs import Glyphs
from tui.text import safe_line


def width_of(text: str) -> int:
    """Cells that a text takes."""
    return len(text) if text.isascii() else cell_len(text)


def shown(text: str, width: int, glyphs: Glyphs) -> str:
    """Text from outside as it may be shown on one line: safe, and at most so many cells.

    Args:
        text: Anything, of any length.
        width: Cells; what does not fit is cut and a sign put in its place.
        glyphs: The set in use; with ASCII everything else becomes `?`.
    """
    if width <= 0:
        return ""
    # Cut first: nobody needs a megabyte made safe for a column. Marks that take no cell may come
    # along with a character, hence some room.
    return _shown(text[: width * 4 + 16], width, glyphs.ascii, glyphs.more)


@lru_cache(4096)
def _shown(text: str, width: int, ascii_only: bool, more: str) -> str:
    text = safe_line(text)
    if ascii_only and not text.isascii():
        text = "".join(char if char.isascii() else "?" for char in text)
    if width_of(text) <= width:
        return text
    return set_cell_size(text, width - 1).rstrip() + more


def padded(text: str, width: int, *, right: bool = False) -> str:
    """A text that fits, filled with blanks to exactly so many cells.

    Args:
        text: What `shown` gave, or a text of our own; one too long is cut.
        width: Cells.
        right: True to put the blanks before it.
    """
    free = width - width_of(text)
    if free < 0:
        return set_cell_size(text, max(0, width))
    return " " * free + text if right else text + " " * free


def whole_words(text: str, width: int) -> str:
    """As many words of our own, with the blanks between them, as fit, filled with blanks."""
    if len(text) > width:
        text = text[: width + 1].rpartition(" ")[0]
    return text.ljust(width)


def column(text: str, width: int, glyphs: Glyphs, *, right: bool = False) -> str:
    """Text from outside as one column: `shown`, then `padded`."""
    return padded(shown(text, width, glyphs), width, right=right)
