"""The board: every chain with its models in fallback order, one line each, in one widget."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import ClassVar

from textual import events
from textual.binding import BindingType
from textual.geometry import Size
from textual.strip import Strip

from tui.cells import shown, whole_words
from tui.commands import bindings, key_label
from tui.desk import Desk
from tui.health import Place
from tui.sought import Sought
from tui.widgets.board_cells import bar, chain_cells, heads, model_cells
from tui.widgets.board_rows import Key, Row, build_rows
from tui.widgets.lined import Cell, Lined

_LAST_SECONDS = 10.0
_WHEEL_LINES = 3


class Board(Lined, can_focus=True):
    """Shows `desk.health` and the figures. Rows keep their place; the cursor belongs to a name.

    Args:
        desk: What the screen works with.
        id: The widget's id.
    """

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("list")]
    DEFAULT_CSS = """
    Board { height: auto; }
    """

    def __init__(self, desk: Desk, *, id: str | None = None) -> None:  # noqa: A002  (Textual's own name for it)
        super().__init__(id=id)
        self.cursor: Key | None = None
        self.empty: tuple[str, ...] = ()
        self.sought = Sought()
        self._desk = desk
        self._rows: list[Row] = []
        self._offset = 0
        self._stamp = 0.0  # the time that countdowns are painted for
        self._painted: dict[int, object] = {}
        self._frozen = False

    def seek(self, sought: Sought) -> None:
        """Shows the models whose rows hold some words."""
        self.sought = sought
        before, self._rows = self._rows, build_rows(self._desk, sought)
        self._moved(before)

    def freeze(self) -> None:
        """Holds the picture still."""
        self._frozen = True

    def thaw(self) -> None:
        """Lets the picture go on."""
        self._frozen = False
        self.show()
        self.tick()

    def show(self) -> None:
        """Takes over what the desk knows now, and has the rows drawn that are different."""
        if self._frozen:
            return
        rows = build_rows(self._desk, self.sought)
        before, self._rows = self._rows, rows
        if [row.key or row.chain for row in before] != [row.key or row.chain for row in rows]:
            self._moved(before)
            return
        pairs = enumerate(zip(before, rows, strict=True))
        self._repaint_rows(number for number, (old, new) in pairs if old != new)

    def tick(self) -> None:
        """Paints the countdowns that are due: once a second, four times in a bench's last seconds."""
        if self._frozen:
            return
        now = self._desk.now()
        visible = range(self._offset, min(len(self._rows), self._offset + self._room))
        ends = {
            number: place.ends
            for number in visible
            if (place := self._rows[number].place) is not None and place.ends is not None
        }
        if not ends:
            return
        grid = 4 if min(ends.values()) - now <= _LAST_SECONDS else 1
        stamp = math.floor(now * grid) / grid
        if stamp == self._stamp:
            return
        self._stamp = stamp
        self._repaint_rows(number for number in ends if self._painted.get(number) != self._countdown(number))

    @property
    def places(self) -> list[Place]:
        """Every model's place, from top to bottom."""
        return [row.place for row in self._rows if row.place is not None]

    @property
    def current(self) -> Place | None:
        """The place under the cursor."""
        return next((place for place in self.places if (place.chain, place.model) == self.cursor), None)

    def action_down(self) -> None:
        """One model down."""
        self._step(1)

    def action_up(self) -> None:
        """One model up."""
        self._step(-1)

    def action_page_down(self) -> None:
        """One page down."""
        self._step(max(1, self._room - 1))

    def action_page_up(self) -> None:
        """One page up."""
        self._step(-max(1, self._room - 1))

    def action_top(self) -> None:
        """To the first model."""
        self._step(-len(self._rows))

    def action_end(self) -> None:
        """To the last model."""
        self._step(len(self._rows))

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002  (Textual's)
        """The column's names, and a line for each row."""
        return 1 + max(len(self._rows), len(self.empty) + 1)

    def render_line(self, y: int) -> Strip:
        """Draws one line of the widget."""
        width = self.size.width
        glyphs = self._desk.glyphs
        if not self._rows:
            empty = self._nothing if self.sought else self.empty
            words = empty[y - 1] if 0 < y <= len(empty) else ""
            return self.line([("  ", "text"), (shown(words, width - 2, glyphs), "muted")], width)
        if y == 0:
            return self._head(width)
        number = self._offset + y - 1
        if number >= len(self._rows):
            return self.line((), width)
        row = self._rows[number]
        if row.place is None:
            return self.line(chain_cells(row.chain, row.places, width, glyphs), width)
        self._painted[number] = self._countdown(number)
        lit = row.key == self.cursor
        cells = model_cells(row, row.place, width, glyphs, now=self._time(row.place))
        if lit:
            cells[0] = (glyphs.cursor, "accent")
        return self.line(cells, width, lit=lit)

    @property
    def _nothing(self) -> tuple[str, ...]:
        clear = key_label(self._desk.key("clear_filter"))
        return ("", f"No model holds {self.sought.text.strip()}; {clear} shows all.")

    def _head(self, width: int) -> Strip:
        hidden = len(self._rows) - self._room
        names = heads(width) if width >= 56 else "   state      model"
        cells: list[Cell] = [(names, "faint")]
        if hidden > 0:
            last = min(len(self._rows), self._offset + self._room)
            place = f" {self._offset + 1}-{last} of {len(self._rows)}"
            cells = [(whole_words(names, width - len(place)), "faint"), (place, "muted")]
        return self.line(cells, width)

    def _time(self, place: Place) -> float:
        # A bench that is younger than the last stamp would seem longer than it is.
        stamp = self._stamp or self._desk.now()
        if place.ends is not None and place.for_s is not None:
            return max(stamp, place.ends - place.for_s)
        return stamp

    def _countdown(self, number: int) -> object:
        """What a row's countdown looks like now."""
        place = self._rows[number].place
        if place is None or place.ends is None:
            return None
        left = max(0.0, place.ends - self._time(place))
        return round(left), bar(place, left, 10, self._desk.glyphs)

    def _moved(self, before: list[Row]) -> None:
        """Rows came or went: the cursor stays with its name, and its row where it is on the screen."""
        keys = [row.key for row in before]
        old = keys.index(self.cursor) if self.cursor in keys else 0
        new = self._number_of(self.cursor)
        if new is None:
            survivors = [key for key in (*keys[old:], *reversed(keys[:old])) if key and self._number_of(key)]
            places = self.places
            first = (places[0].chain, places[0].model) if places else None
            self.cursor = survivors[0] if survivors else first
            new = self._number_of(self.cursor)
        if new is not None and before:
            self._offset += new - old
        self._painted = {}
        self._clamp()
        self.refresh(layout=True)

    def _number_of(self, key: Key | None) -> int | None:
        if key is None:
            return None
        return next((number for number, row in enumerate(self._rows) if row.key == key), None)

    def _step(self, by: int) -> None:
        places = self.places
        keys = [(place.chain, place.model) for place in places]
        if not keys:
            return
        at = keys.index(self.cursor) if self.cursor in keys else 0
        self._put_cursor(keys[max(0, min(len(keys) - 1, at + by))])

    def _put_cursor(self, key: Key) -> None:
        before, self.cursor = self._number_of(self.cursor), key
        if self._clamp():
            self.refresh()
            return
        self._repaint_rows(number for number in (before, self._number_of(key)) if number is not None)

    @property
    def _room(self) -> int:
        return max(1, self.size.height - 1)

    def _clamp(self) -> bool:
        """Keeps the cursor's row, and its chain's line if that is just above, in the window."""
        before = self._offset
        number = self._number_of(self.cursor)
        if number is not None:
            above = number - 1 if self._rows[number - 1].place is None else number
            self._offset = min(self._offset, above)
            self._offset = max(self._offset, number - self._room + 1)
        self._offset = max(0, min(self._offset, len(self._rows) - self._room))
        return self._offset != before

    def _repaint_rows(self, numbers: Iterable[int]) -> None:
        ys = (number - self._offset + 1 for number in numbers)
        self.repaint_lines(y for y in ys if 0 < y < self.size.height)

    def on_resize(self) -> None:
        """The window has another size: the cursor stays in it."""
        self._clamp()
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        """A click takes the cursor along."""
        number = self._offset + event.y - 1
        if event.y > 0 and number < len(self._rows) and (key := self._rows[number].key):
            self._put_cursor(key)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Turns the wheel up: the window moves, the cursor with it only if it must."""
        event.stop()
        self._scroll(-_WHEEL_LINES)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Turns the wheel down."""
        event.stop()
        self._scroll(_WHEEL_LINES)

    def _scroll(self, by: int) -> None:
        before = self._offset
        self._offset = max(0, min(self._offset + by, len(self._rows) - self._room))
        if self._offset != before:
            self.refresh()
