"""The stream of attempts: a window on a ring that moves only when the reader wants it to."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual import events
from textual.binding import BindingType
from textual.strip import Strip

from tui.cells import shown, whole_words, width_of
from tui.commands import bindings, key_label
from tui.desk import Desk
from tui.ring import Line, Ring
from tui.sought import Sought
from tui.widgets.lined import Cell, Lined
from tui.widgets.stream_cells import cells, engine_name, heads, texts, took

_WHEEL_LINES = 3
_NAME_WIDTH = 24


class Attempts(Lined, can_focus=True):
    """Shows a ring of lines, newest last.

    It follows the end while it is there. Once the reader goes up it stays where it is, whatever
    arrives and whatever the ring drops, and a pill says how much is new.

    Args:
        ring: What to show: `desk.feed.ring`, or a ring from `desk.feed.watch(request)`.
        desk: What the screen works with.
        empty: What to say while there is nothing: what to do next.
        of_several: Tells whether lines are of several engines, so that each should say of which; None for no.
        id: The widget's id.

    Attributes:
        following: Whether it is at the end and stays there.
        empty: As given.
        engine: The engine whose lines alone are shown; empty for all.
        sought: The words that a line must hold to be shown.
        end_key: What goes to the end.
    """

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("list")]
    DEFAULT_CSS = """
    Attempts { height: 1fr; }
    """

    def __init__(
        self,
        ring: Ring,
        desk: Desk,
        *,
        empty: str = "",
        of_several: Callable[[], bool] | None = None,
        id: str | None = None,  # noqa: A002  (Textual's own name for it)
    ) -> None:
        super().__init__(id=id)
        self.following = True
        self.empty = empty
        self.engine = ""
        self.sought = Sought()
        self.end_key = "End"
        self._of_several = of_several
        self._desk = desk
        self._whole = self._ring = ring  # all there is, and what of it is to be seen
        self._frozen: tuple[Ring, Ring, float] | None = None  # the same, and when
        self._top = 0  # number of the first line shown, while not following
        self._left_at = 0  # the ring's end when the reader left it
        self._runs = False
        self._kept: dict[int, Line] = {}  # what is being read stays readable when the ring drops it
        self._painted: list[object] = []  # what each line of the widget was last drawn from
        self._shown: object = None  # what there is to know to see that nothing can have changed

    def look(self, ring: Ring) -> None:
        """Shows another ring, from its end."""
        self._whole.let_go(self._ring)
        self._whole = ring
        self._ring = self._wanted(ring)
        self.follow()

    def only(self, engine: str) -> None:
        """Shows the lines of one engine alone, from their end.

        Args:
            engine: Its name; empty for all.
        """
        self.engine = engine
        self._choose_anew()

    def seek(self, sought: Sought) -> None:
        """Shows the lines that hold some words, from their end."""
        self.sought = sought
        self._choose_anew()

    def _choose_anew(self) -> None:
        if self._frozen is not None:
            whole, _, when = self._frozen
            self._frozen = (whole, self._wanted(whole), when)
        self.look(self._whole)

    def _wanted(self, ring: Ring) -> Ring:
        engine, sought = self.engine, self.sought
        if not engine and not sought:
            return ring
        return ring.part(lambda line: (not engine or line.engine == engine) and sought.is_in(*texts(line)))

    def follow(self) -> None:
        """Goes to the end and stays there."""
        self.following = True
        self._kept = {}
        self._repaint()

    def freeze(self, when: float) -> None:
        """Holds the picture still, however much arrives.

        Args:
            when: Seconds on the dashboard's clock.
        """
        whole = self._whole.copy()
        self._frozen = (whole, self._wanted(whole), when)

    def thaw(self) -> None:
        """Lets the picture go on."""
        self._frozen = None
        self._repaint()

    def tick(self) -> None:
        """Paints what is different from what the screen shows."""
        if self._frozen is not None:
            return
        ring = self._ring
        if self._shown != (ring, ring.version, self.several) or self._runs:
            self._repaint()

    @property
    def top(self) -> int:
        """The number of the first line shown."""
        ring = self._source
        if self.following:
            return max(ring.first, ring.end - self._room)
        return self._top

    @property
    def new(self) -> int:
        """How many lines have come since the reader left the end."""
        return 0 if self.following else self._ring.end - self._left_at

    def action_down(self) -> None:
        """One line down."""
        self._move(1)

    def action_up(self) -> None:
        """One line up."""
        self._move(-1)

    def action_page_down(self) -> None:
        """One page down."""
        self._move(max(1, self._room - 1))

    def action_page_up(self) -> None:
        """One page up."""
        self._move(-max(1, self._room - 1))

    def action_top(self) -> None:
        """To the oldest line."""
        self._move(self._source.first - self.top)

    def action_end(self) -> None:
        """To the newest line, and on with it."""
        self.follow()

    def render_line(self, y: int) -> Strip:
        """Draws one line of the widget."""
        width = self.size.width
        if y == 0:
            return self._head(width)
        ring = self._source
        line = self._line(self.top + y - 1)
        if line is not None:
            drawn = cells(line, width, self._desk.glyphs, self._now, several=self.several)
            return self.line(drawn, width)
        if not len(ring) and y == 2:
            return self.line([(shown(self._nothing, width, self._desk.glyphs), "muted")], width)
        return self.line((), width)

    @property
    def several(self) -> bool:
        """Whether each line should say whose it is."""
        return self._of_several is not None and self._of_several()

    @property
    def _nothing(self) -> str:
        if self.sought:
            return f"  No attempt holds {self.sought.text.strip()}; {self._clear_key} shows all."
        if self.engine:
            return f"  Nothing of {self.engine} is kept; {self._clear_key} shows all."
        return self.empty

    @property
    def _source(self) -> Ring:
        return self._frozen[1] if self._frozen else self._ring

    @property
    def _now(self) -> float:
        return self._frozen[2] if self._frozen else self._desk.now()

    @property
    def _room(self) -> int:
        return max(1, self.size.height - 1)

    def _line(self, number: int) -> Line | None:
        return self._source.get(number) or self._kept.get(number)

    def _move(self, by: int) -> None:
        ring = self._source
        last_top = max(ring.first, ring.end - self._room)
        top = max(ring.first, self.top + by)
        if top >= last_top:
            if by >= 0:
                self.follow()
            return
        if self.following:
            self.following = False
            self._left_at = self._ring.end
        self._top = top
        self._repaint()

    def _repaint(self) -> None:
        """Compares what should be seen with what is seen, and has the difference drawn."""
        if not self.is_mounted or not self.size:
            return
        if not self.following:
            self._keep_page()
        now, top = self._now, self.top
        nothing, several = "" if len(self._source) else self._nothing, self.several
        fresh: list[object] = [self._head_cells(self.size.width)]
        self._shown, self._runs = (self._source, self._source.version, several), False
        for number in range(top, top + self._room):
            line = self._line(number)
            runs = line is not None and line.outcome == "running"
            self._runs |= runs
            running_s = took(line, now) if line is not None and runs else ""
            fresh.append((number, line, running_s, nothing, several))
        changed = [y for y, key in enumerate(fresh) if y >= len(self._painted) or self._painted[y] != key]
        self._painted = fresh
        if len(changed) * 2 > len(fresh):
            self.refresh()
        else:
            self.repaint_lines(changed)

    def _keep_page(self) -> None:
        numbers = range(self._top, self._top + self._room)
        self._kept = {number: line for number in numbers if (line := self._line(number)) is not None}

    def _head_cells(self, width: int) -> list[Cell]:
        only = self._filter(width)
        pill = self._pill(width - width_of(only) - 1 if only else width)
        names = heads(width, several=self.several) if width >= 56 else "attempts"
        cells: list[Cell] = []
        for text in filter(None, (only, pill)):
            cells += [(" ", "text"), (text, "pill")]
        room = width - sum(width_of(text) for text, _ in cells)
        if cells:
            names = whole_words(names, max(0, room))
        return [(names, "text" if self.has_focus else "faint"), *cells]

    def _filter(self, width: int) -> str:
        """Whose lines alone are shown, and how to see all: in words as long as there is room for."""
        if not self.engine and not self.sought:
            return ""
        for room in (_NAME_WIDTH, 12):
            said = f" only {self._only_what(room)} {self._dash} {self._clear_key} shows all "
            if width_of(said) <= width // 2:
                return said
        return f" only {self._only_what(12)}, {self._clear_key} "

    def _only_what(self, room: int) -> str:
        glyphs = self._desk.glyphs
        words = shown(self.sought.text.strip(), room, glyphs) if self.sought else ""
        engine = engine_name(self.engine, room, glyphs) if self.engine else ""
        return " of ".join(filter(None, (words, engine)))

    @property
    def _clear_key(self) -> str:
        return key_label(self._desk.key("clear_filter" if self.sought else "all_engines"))

    def _pill(self, width: int) -> str:
        if self.following:
            return ""
        new = f"+{self.new} new" if self.new else "not following"
        for text in (f" {new} {self._dash} {self.end_key} to follow ", f" {new} "):
            if len(text) <= width:
                return text
        return ""

    @property
    def _dash(self) -> str:
        return "-" if self._desk.glyphs.ascii else "—"

    def _head(self, width: int) -> Strip:
        return self.line(self._head_cells(width), width)

    def on_resize(self) -> None:
        """The window has another size: what is read stays on top."""
        self._painted = []
        self._repaint()

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Goes up, and thereby stops following."""
        event.stop()
        self._move(-_WHEEL_LINES)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Goes down."""
        event.stop()
        self._move(_WHEEL_LINES)

    def on_click(self, event: events.Click) -> None:
        """A click on the pill follows again."""
        if event.y == 0 and not self.following:
            self.follow()
