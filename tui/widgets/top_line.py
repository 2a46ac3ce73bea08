"""The first line of every view: which one it is, and what is on the bench."""

from __future__ import annotations

import math
from collections.abc import Sequence

from textual.strip import Strip

from tui.cells import shown, width_of
from tui.desk import Desk
from tui.text import countdown
from tui.widgets.board_cells import state_text
from tui.widgets.facts import Fact, fitted
from tui.widgets.lined import Cell, Lined, Tone

_NAMES_AT_MOST = 4


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
        self._painted: list[Cell] = []

    def tick(self) -> None:
        """Paints the line if it would look different."""
        if self._painted != (cells := self._cells()):
            self._painted = cells
            self.refresh()

    def retab(self, tabs: Sequence[tuple[str, str]]) -> None:
        """Takes over other keys."""
        self._tabs = tabs
        self.tick()

    def render_line(self, y: int) -> Strip:
        """Draws the line."""
        return self.line(self._cells() if y == 0 else (), self.size.width)

    def _cells(self) -> list[Cell]:
        width = self.size.width - 2
        right = fitted(self._bench(), width, "  ")
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

    def _bench(self) -> list[Fact]:
        health, glyphs = self._desk.health, self._desk.glyphs
        counts = health.counts()
        facts = []
        # A second's grid: the line is painted once a second, not whenever a fraction passes.
        now = math.floor(self._desk.now())
        for place in health.out[:_NAMES_AT_MOST]:
            sign = glyphs.states[place.state]
            left = "no end" if place.ends is None else countdown(place.ends - now)
            name = shown(place.model, 26, glyphs)
            tail = shown(place.model.partition("/")[2] or place.model, 12, glyphs)
            tone: Tone = "bad" if place.state == "benched" else "warn"
            facts.append(Fact(f"{sign} {name} {left}", tone, f"{sign} {tail} {left}"))
        if len(health.out) > _NAMES_AT_MOST:
            facts.append(Fact(f"and {len(health.out) - _NAMES_AT_MOST} more", "warn"))
        elif live := counts.get("live", 0):
            facts.append(Fact(f"{glyphs.states['live']} {live} live", "good", f"{live} live"))
        if unusable := counts.get("unusable", 0):
            facts.append(Fact(f"{glyphs.unusable} {unusable} unusable", "muted", state_text("unusable", glyphs)))
        return facts
