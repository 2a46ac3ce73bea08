"""The keys of one provider, by name and state: one line each. No value of a key ever gets here."""

from __future__ import annotations

import math
from typing import ClassVar, Final

from textual import events
from textual.binding import BindingType
from textual.geometry import Size
from textual.strip import Strip

from tui.cells import column, padded, shown, width_of
from tui.commands import bindings
from tui.desk import Desk
from tui.glyphs import Glyphs
from tui.key_states import KeyPlace, KeyStates
from tui.text import countdown
from tui.tones import Tone
from tui.widgets.lined import Cell, Lined, joined

_LOOKS: Final[dict[str, tuple[str, Tone]]] = {
    "usable": ("live", "good"),
    "benched": ("benched", "bad"),
    "held": ("held", "warn"),
    "unset": ("", "muted"),
}
"""State of a key → the model's state whose sign it has, and its tone."""
_LONGEST_NAME: Final = 80


class ProviderKeys(Lined, can_focus=True):
    """Shows one provider's keys; the cursor belongs to a name.

    Args:
        desk: What the screen works with.
        id: The widget's id.
    """

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("list")]
    DEFAULT_CSS = """
    ProviderKeys { height: auto; }
    """

    def __init__(self, desk: Desk, *, id: str | None = None) -> None:  # noqa: A002  (Textual's own name for it)
        super().__init__(id=id)
        self.provider = ""
        self.cursor = ""
        self._desk = desk
        self._states = KeyStates(desk.source)
        self._places: tuple[KeyPlace, ...] = ()
        self._offset = 0
        self._now = 0.0  # the time that countdowns are painted for
        self._painted: object = None
        self._frozen = False

    @property
    def current(self) -> KeyPlace | None:
        """The key under the cursor."""
        return next((place for place in self._places if place.name == self.cursor), None)

    def freeze(self) -> None:
        """Holds the picture still."""
        self._frozen = True

    def thaw(self) -> None:
        """Lets the picture go on."""
        self._frozen = False
        self.show(self.provider, changed=True)

    def show(self, provider: str, *, changed: bool) -> None:
        """Shows a provider's keys as they are now.

        Args:
            provider: Its name.
            changed: Whether a state may have changed.
        """
        if self._frozen:
            return
        now = self._desk.now()
        self._states.refresh(now, changed=changed or provider != self.provider)
        places = self._states.of(provider)
        counts = any(place.ends is not None for place in places)
        painted = (provider, places, math.floor(now) if counts else 0)
        if painted == self._painted:
            return
        self._painted, self._now = painted, now
        moved = len(places) != len(self._places)
        self._take(provider, places)
        self.refresh(layout=moved)

    def _take(self, provider: str, places: tuple[KeyPlace, ...]) -> None:
        at = self._cursor_at()
        self.provider, self._places = provider, places
        if self.current is None:
            self.cursor = places[min(at, len(places) - 1)].name if places else ""
        self._clamp()

    def action_down(self) -> None:
        """One key down."""
        self._step(1)

    def action_up(self) -> None:
        """One key up."""
        self._step(-1)

    def action_page_down(self) -> None:
        """One page down."""
        self._step(self._room)

    def action_page_up(self) -> None:
        """One page up."""
        self._step(-self._room)

    def action_top(self) -> None:
        """To the first key."""
        self._step(-len(self._places))

    def action_end(self) -> None:
        """To the last key."""
        self._step(len(self._places))

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002  (Textual's)
        """A title, and a line for each key."""
        return 1 + max(1, len(self._places))

    def render_line(self, y: int) -> Strip:
        """Draws one line of the widget."""
        width, glyphs = self.size.width, self._desk.glyphs
        if y == 0:
            return self.line(self._title(width), width)
        number = self._offset + y - 1
        if number < len(self._places):
            place = self._places[number]
            lit = place.name == self.cursor and self.has_focus
            longest = max(width_of(_name(place)) for place in self._places)
            cells = key_cells(place, width, glyphs, self._now, longest=longest)
            if lit:
                cells[0] = (glyphs.cursor, "accent")
            return self.line(cells, width, lit=lit)
        if y == 1:
            return self.line([(shown(f"   {self.provider} takes no key.", width, glyphs), "muted")], width)
        return self.line((), width)

    def _title(self, width: int) -> list[Cell]:
        keys = [place for place in self._places if not place.on_model]
        usable = sum(place.state == "usable" for place in keys)
        says = f"{usable} of {len(keys)} usable" if keys else "none"
        hidden = len(self._places) - self._room
        if hidden > 0:
            last = min(len(self._places), self._offset + self._room)
            says = f"{self._offset + 1}-{last} of {len(self._places)}, {usable} usable"
        tone: Tone = "muted" if usable == len(keys) else "warn" if usable else "bad"
        glyphs = self._desk.glyphs
        title = shown(f"keys of {self.provider}", max(4, width - len(says) - 4), glyphs)
        rule = glyphs.rule * max(0, width - width_of(title) - len(says) - 4)
        return [("  ", "text"), (title, "strong"), (f" {rule} ", "faint"), (says, tone)]

    def _step(self, by: int) -> None:
        if self._places:
            at = max(0, min(len(self._places) - 1, self._cursor_at() + by))
            self.cursor = self._places[at].name
            self._clamp()
            self.refresh()

    def _cursor_at(self) -> int:
        numbers = (number for number, place in enumerate(self._places) if place.name == self.cursor)
        return next(numbers, 0)

    @property
    def _room(self) -> int:
        return max(1, self.size.height - 1)

    def _clamp(self) -> None:
        """Keeps the cursor in the window."""
        at = self._cursor_at()
        self._offset = max(min(self._offset, at), at - self._room + 1)
        self._offset = max(0, min(self._offset, len(self._places) - self._room))

    def on_resize(self) -> None:
        """The window has another size: the cursor stays in it."""
        self._clamp()
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        """A click takes the cursor along."""
        number = self._offset + event.y - 1
        if event.y > 0 and number < len(self._places):
            self.cursor = self._places[number].name
            self.refresh()

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Turns the wheel up."""
        event.stop()
        self._step(-1)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Turns the wheel down."""
        event.stop()
        self._step(1)


def key_cells(place: KeyPlace, width: int, glyphs: Glyphs, now: float, *, longest: int) -> list[Cell]:
    """A key's line; everything from outside is made safe here.

    Args:
        place: The key.
        width: Cells of the whole line.
        glyphs: The signs in use.
        now: Seconds on the dashboard's clock.
        longest: Cells of the longest name there is.
    """
    sign, tone = _LOOKS[place.state]
    left = None if place.ends is None else max(0.0, place.ends - now)
    tier, reason = (6, width - 3 - 11 - 7 - 8) if width >= 56 else (0, width - 3 - 11 - 8)
    name = min(longest, reason // 2) if width >= 56 else reason
    parts: list[list[Cell]] = [
        [(padded(f"{glyphs.states.get(sign, glyphs.unusable)} {place.state}", 10), tone)],
        [(column(_name(place), name, glyphs), "muted" if place.state == "unset" else "text")],
    ]
    if tier:
        parts.append([(padded("" if place.on_model else f"tier {place.tier}", tier), "muted")])
    parts.append([(padded(countdown(left) if place.is_out else "", 7, right=True), tone)])
    if tier:
        parts.append([(column(_reason(place), max(0, reason - name - 1), glyphs), tone)])
    return [(" ", "text"), ("  ", "text"), *joined(parts)]


def _name(place: KeyPlace) -> str:
    # A bench on one model stands below its key. Cut before it is measured: it may be of any length.
    return f"{'  ' if place.on_model else ''}{place.name[:_LONGEST_NAME]}"


def _reason(place: KeyPlace) -> str:
    if place.state == "held":
        return " ".join(filter(None, (place.reason or "no reason given", place.by and f"by {place.by}")))
    return place.reason if place.state == "unset" else place.reason.replace("_", " ")
