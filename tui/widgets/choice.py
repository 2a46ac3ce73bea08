"""One of a few, on one line or several: the arrows move the mark."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.strip import Strip

from tui.desk import Desk
from tui.tones import Tone
from tui.widgets.lined import Cell, Lined

_GAP = 3


class Choice(Lined, can_focus=True):
    """A choice of one.

    Args:
        desk: What the screen works with.
        options: What to choose from.
        id: The widget's id.

    Attributes:
        chosen: Number of the option that is marked.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right,l", "move(1)", "Next", show=False),
        Binding("left,h", "move(-1)", "Previous", show=False),
    ]
    DEFAULT_CSS = """
    Choice { height: auto; width: 1fr; }
    """

    class Changed(Message):
        """Another option is marked."""

    def __init__(
        self,
        desk: Desk,
        options: Sequence[str],
        *,
        id: str | None = None,  # noqa: A002  (Textual's own name for it)
    ) -> None:
        super().__init__(id=id)
        self.chosen = 0
        self._desk = desk
        self._options = options

    def choose(self, number: int) -> None:
        """Marks an option."""
        if number != self.chosen:
            self.chosen = number
            self.post_message(self.Changed())
            self.refresh()

    def action_move(self, by: int) -> None:
        """Marks the next option or the one before."""
        self.choose((self.chosen + by) % len(self._options))

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002  (Textual's)
        """As many lines as it takes."""
        return len(self._lines(width))

    def render_line(self, y: int) -> Strip:
        """Draws one line."""
        lines = self._lines(self.size.width)
        cells: list[Cell] = []
        for number in lines[y] if y < len(lines) else ():
            chosen = number == self.chosen
            states = self._desk.glyphs.states
            sign = states["live"] if chosen else states["due"]
            tone: Tone = ("pill" if self.has_focus else "strong") if chosen else "muted"
            cells += [(f"{sign} {self._options[number]}", tone), (" " * _GAP, "text")]
        return self.line(cells[:-1], self.size.width)

    def on_click(self, event: events.Click) -> None:
        """A click marks an option."""
        lines = self._lines(self.size.width)
        at = 0
        for number in lines[event.y] if event.y < len(lines) else ():
            at += len(self._options[number]) + 2 + _GAP
            if event.x < at:
                self.choose(number)
                return

    def _lines(self, width: int) -> list[list[int]]:
        """Which options stand on which line."""
        lines: list[list[int]] = [[]]
        used = 0
        for number, option in enumerate(self._options):
            needed = len(option) + 2
            if lines[-1] and used + needed > width:
                lines.append([])
                used = 0
            lines[-1].append(number)
            used += needed + _GAP
        return lines
