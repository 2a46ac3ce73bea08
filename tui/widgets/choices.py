"""The targets that what was typed may become."""

from __future__ import annotations

from collections.abc import Sequence

from textual.strip import Strip

from tui.cells import shown, width_of
from tui.desk import Desk
from tui.widgets.lined import Cell, Lined

_GAP = "  "


class Choices(Lined):
    """Names on one line, as many as fit, from the current one on.

    Args:
        desk: What the screen works with.
        id: The widget's id.
    """

    DEFAULT_CSS = """
    Choices { height: 1; }
    """

    def __init__(self, desk: Desk, *, id: str | None = None) -> None:  # noqa: A002  (Textual's name for it)
        super().__init__(id=id)
        self._desk = desk
        self._names: Sequence[str] = ()
        self._current = ""

    def show(self, names: Sequence[str], current: str) -> None:
        """Shows names, and which of them is in the input."""
        if (self._names, self._current) != (names, current):
            self._names, self._current = names, current
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """Draws the line."""
        width = self.size.width
        return self.line(self._cells(width) if y == 0 else (), width)

    def _cells(self, width: int) -> list[Cell]:
        if not self._names:
            return [(shown("nothing has such a name", width, self._desk.glyphs), "warn")]
        first = self._names.index(self._current) if self._current in self._names else 0
        cells: list[Cell] = []
        free = width
        for name in [*self._names[first:], *self._names[:first]]:
            text = shown(name.rpartition(",")[2].strip(), width, self._desk.glyphs)
            free -= width_of(text) + len(_GAP)
            if free < 0:
                break
            cells += [(text, "accent" if name == self._current else "muted"), (_GAP, "text")]
        return cells
