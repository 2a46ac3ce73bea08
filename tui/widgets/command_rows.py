"""Commands under one another, with their keys and what they do; a cursor is on one of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual import events
from textual.message import Message
from textual.strip import Strip

from tui.cells import padded, whole_words
from tui.commands import Command
from tui.desk import Desk
from tui.widgets.lined import Cell, Lined

_KEY_WIDTH = 8
_LABEL_WIDTH = 14
_LEAST_HELP = 24


@dataclass(frozen=True, slots=True)
class Row:
    """A line: a heading, or a command.

    Attributes:
        heading: What the next ones have in common; empty for a command.
        command: The command; None for a heading.
        key: Its key as a person writes it.
        works: Whether it would do something now.
    """

    heading: str = ""
    command: Command | None = None
    key: str = ""
    works: bool = True


class CommandRows(Lined):
    """A list of commands that moves with its cursor.

    Args:
        desk: What the screen works with.

    Attributes:
        rows: What is shown.
        at: The row that the cursor is on.
    """

    DEFAULT_CSS = """
    CommandRows { height: 1fr; }
    """

    class Chosen(Message):
        """A click chose the command under the cursor."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.rows: Sequence[Row] = ()
        self.at = 0
        self._top = 0
        self._desk = desk

    @property
    def current(self) -> Row | None:
        """The row under the cursor; None if there is no command."""
        return self.rows[self.at] if self.at < len(self.rows) and self.rows[self.at].command else None

    def show(self, rows: Sequence[Row]) -> None:
        """Shows other rows, with the cursor on the first command."""
        self.rows, self.at, self._top = rows, -1, 0
        self.move(1)

    def move(self, by: int) -> None:
        """Moves the cursor over so many commands, as far as there are any."""
        places = [place for place, row in enumerate(self.rows) if row.command]
        if not places:
            self.at = 0
        elif self.at in places:
            self.at = places[min(max(0, places.index(self.at) + by), len(places) - 1)]
        else:
            self.at = places[0]
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Draws one line."""
        self._top = self._first_shown()
        number = self._top + y
        width = self.size.width
        if not self.rows and y == 0:
            return self.line([("Nothing has such a name.", "warn")], width)
        if number >= len(self.rows):
            return self.line((), width)
        row = self.rows[number]
        cells = self._cells(row, width)
        if number == self.at:
            cells[0] = (self._desk.glyphs.cursor, "accent")
        return self.line(cells, width, lit=number == self.at)

    def _first_shown(self) -> int:
        """The first row on the screen, so that the cursor is there, and the heading above it if it can be."""
        height = max(1, self.size.height)
        first = min(self._top, max(0, len(self.rows) - height))
        heading = 1 if self.at and height > 1 and not self.rows[self.at - 1].command else 0
        return max(min(first, self.at - heading), self.at - height + 1)

    def _cells(self, row: Row, width: int) -> list[Cell]:
        if row.command is None:
            return [(row.heading, "faint")]
        label = padded(row.command.label, _LABEL_WIDTH)
        cells: list[Cell] = [
            (" ", "text"),
            (f"{padded(row.key, _KEY_WIDTH)} ", "key" if row.works else "faint"),
            (label, "text" if row.works else "faint"),
        ]
        room = width - _KEY_WIDTH - _LABEL_WIDTH - 3
        if room >= _LEAST_HELP:
            cells.append((" " + whole_words(row.command.help, room), "muted" if row.works else "faint"))
        return cells

    def on_click(self, event: events.Click) -> None:
        """A click chooses."""
        number = self._top + event.y
        if number < len(self.rows) and self.rows[number].command:
            self.at = number
            self.refresh()
            self.post_message(self.Chosen())

    def on_mouse_scroll_down(self) -> None:
        """The wheel moves the cursor."""
        self.move(1)

    def on_mouse_scroll_up(self) -> None:
        """The wheel moves the cursor."""
        self.move(-1)
