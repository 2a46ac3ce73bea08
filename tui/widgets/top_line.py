"""The first line of every view: which one it is, and what is on the bench."""

from __future__ import annotations

import math
from collections.abc import Sequence

from textual.strip import Strip

from tui.cells import shown, width_of
from tui.desk import Desk
from tui.glyphs import STATE_WORDS
from tui.health import Place
from tui.text import countdown
from tui.tones import Tone
from tui.widgets.facts import Fact, fitted
from tui.widgets.lined import Cell, Lined

_NAMES_AT_MOST = 4
_NAME_WIDTH = 24
_ROOM_FOR_BOTH = 78


class TopLine(Lined):
    """Tabs on the left, the bench on the right; where both don't fit, the bench stays.

    Args:
        desk: What the screen works with.
        tabs: `(key, label)` of each view.
        current: The label of this one.
    """

    DEFAULT_CSS = """
    TopLine { height: 1; }
    """

    def __init__(self, desk: Desk, tabs: Sequence[tuple[str, str]], current: str) -> None:
        super().__init__()
        self._desk = desk
        self._tabs = tabs
        self._current = current
        self._painted: object = None

    def tick(self) -> None:
        """Paints the line if it may look different: once a second while something counts down."""
        health = self._desk.health
        counts = any(place.ends is not None for place in health.out)
        state = (health.version, self._second() if counts else 0, self._tabs)
        if self._painted != state:
            self._painted = state
            self.refresh()

    def _second(self) -> int:
        # A second's grid, so that every second is painted once.
        return math.floor(self._desk.now())

    def retab(self, tabs: Sequence[tuple[str, str]]) -> None:
        """Takes over other keys."""
        self._tabs = tabs
        self.tick()

    def render_line(self, y: int) -> Strip:
        """Draws the line."""
        return self.line(self._cells() if y == 0 else (), self.size.width)

    def _cells(self) -> list[Cell]:
        width = self.size.width - 2
        tabs = sum(width_of(text) for text, _ in self._left(width))
        room = width - tabs - 2 if width >= _ROOM_FOR_BOTH else width
        right = self._right(room)
        left = self._left(width - sum(width_of(text) for text, _ in right) - 2)
        space = width - sum(width_of(text) for text, _ in (*left, *right))
        return [(" ", "text"), *left, (" " * space, "text"), *right]

    def _left(self, width: int) -> list[Cell]:
        cells: list[Cell] = [("standby", "strong")]
        for key, label in self._tabs:
            here = label == self._current
            tone: Tone = "strong" if here else "muted"
            cells += [("   ", "text"), (f"{key} ", "key" if here else "faint"), (label, tone)]
        while cells and sum(width_of(text) for text, _ in cells) > width:
            cells = cells[:-3]
        return cells

    def _right(self, width: int) -> list[Cell]:
        """What is out, by name as far as there is room, then in numbers: nothing is left unsaid."""
        coming_back, counts = self._coming_back(), self._counts()
        out = self._desk.health.out
        most = min(len(out), _NAMES_AT_MOST)
        # First with at least one name beside what comes back; where there is no room for that, without it.
        beside = [(named, len(coming_back)) for named in range(most, 0, -1)]
        alone = [(named, 0) for named in range(most, -1, -1)]
        for named, others in beside + alone:
            names = [self._named(place, width) for place in out[:named]]
            rest = len(out) - named
            if rest:
                sign = self._desk.glyphs.states["benched"]
                names.append(Fact(f"and {rest} more" if names else f"{sign} {rest} out", "warn", f"+{rest}"))
            cells = fitted([*names, *coming_back, *counts], width, "  ")
            if len(cells) >= 2 * (len(names) + others) - 1:
                return cells
        return cells

    def _named(self, place: Place, width: int) -> Fact:
        glyphs = self._desk.glyphs
        sign = glyphs.states[place.state]
        left = countdown(None if place.ends is None else place.ends - self._second())
        name = shown(place.model, max(12, width // 3), glyphs)
        tail = shown(
            place.model.rpartition("/")[2] or place.model, 12 if width >= _ROOM_FOR_BOTH // 2 else 8, glyphs
        )
        tone: Tone = "bad" if place.state == "benched" else "warn"
        return Fact(f"{sign} {name} {left}", tone, f"{sign} {tail} {left}")

    def _counts(self) -> list[Fact]:
        glyphs, counts = self._desk.glyphs, self._desk.health.counts()
        facts = []
        if live := counts.get("live", 0):
            facts.append(Fact(f"{glyphs.states['live']} {live} live", "good", f"{live} live"))
        if unusable := counts.get("unusable", 0):
            text = f"{glyphs.unusable} {unusable} unusable"
            facts.append(Fact(text, "muted", f"{glyphs.unusable} {unusable}"))
        return facts

    def _coming_back(self) -> list[Fact]:
        """How many are on trial and due; the only one of a state by its name."""
        glyphs = self._desk.glyphs
        facts = []
        for state in ("on_trial", "due"):
            models = [place.model for place in self._desk.health.coming_back if place.state == state]
            if models:
                sign, word = glyphs.states[state], STATE_WORDS[state]
                short = f"{sign} {len(models)} {word}"
                text = f"{sign} {shown(models[0], _NAME_WIDTH, glyphs)} {word}"
                facts.append(Fact(text if len(models) == 1 else short, "accent", short))
        return facts
