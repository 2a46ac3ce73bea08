"""The line that says what the screen can't be trusted with: simulated, old, dropped, paused, refused."""

from __future__ import annotations

from dataclasses import dataclass

from textual.strip import Strip

from tui.cells import shown
from tui.desk import Desk
from tui.widgets.facts import Fact, fitted
from tui.widgets.lined import Cell, Lined

_RECENT_S = 2.0
_NAMES_WIDTH = 40


@dataclass(frozen=True, slots=True)
class Pause:
    """A view that is held still.

    Attributes:
        at: Since when, as a time of day.
        seen: Events that it shows.
        key: What lets it go on.
    """

    at: str
    seen: int
    key: str


class StatusLine(Lined):
    """Facts, the most important first; a pause turns the line into a banner.

    Args:
        desk: What the screen works with.
    """

    DEFAULT_CSS = """
    StatusLine { height: 1; }
    """

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.pause: Pause | None = None
        self._desk = desk
        self._painted: object = None

    def tick(self) -> None:
        """Paints the line if it would look different."""
        # What it says changes with the feed and with each second; asking for less is asking too often.
        feed = self._desk.feed
        waits = feed.seen if self.pause else 0
        known = (waits, feed.dropped, feed.reloads, feed.rejections, self.pause, self._age(), self.size)
        if self._painted != known:
            self._painted = known
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """Draws the line."""
        return self.line(self._cells() if y == 0 else (), self.size.width)

    def _cells(self) -> list[Cell]:
        glyphs = self._desk.glyphs
        gap = f" {glyphs.dot} "
        cells = fitted(self._facts(), self.size.width - 2, gap)
        if self.pause is not None:
            cells = [(text, "banner") for text, _ in cells]
            used = sum(len(text) for text, _ in cells)
            return [(" ", "banner"), *cells, (" " * max(0, self.size.width - used - 1), "banner")]
        return [(" ", "text"), *cells]

    def _facts(self) -> list[Fact]:
        desk, feed = self._desk, self._desk.feed
        facts = []
        if self.pause is not None:
            sign, waits = desk.glyphs.pause, feed.seen - self.pause.seen
            text = f"{sign} paused at {self.pause.at}, {waits} events wait"
            facts.append(Fact(f"{text}, {self.pause.key} goes on", "banner", f"{sign} paused, {waits} wait"))
        if feed.rejected:
            facts.append(self._rejected())
        if feed.dropped:
            facts.append(Fact(f"{feed.dropped} events dropped", "bad", f"{feed.dropped} dropped"))
        if simulated := self._simulated():
            facts.append(simulated)
        if desk.read_only:
            facts.append(Fact("read-only", "accent"))
        facts.append(self._age())
        if feed.reloads:
            times = "" if feed.reloads == 1 else f" {feed.reloads} times"
            facts.append(Fact(f"config reloaded{times}", "muted", "reloaded", minor=True))
        facts.append(Fact("benches are of this process only", "faint", "this process only", minor=True))
        return facts

    def _rejected(self) -> Fact:
        feed, glyphs = self._desk.feed, self._desk.glyphs
        count = len(feed.rejected)
        faults = "1 fault" if count == 1 else f"{count} faults"
        short = f"{glyphs.warn} config: {faults}"
        room = max(0, self.size.width // 2 - len(short))
        return Fact(
            f"{glyphs.warn} config rejected, {faults}: {shown(feed.rejected[0], room, glyphs)}", "bad", short
        )

    def _simulated(self) -> Fact | None:
        providers = self._desk.engine.config.every_provider.values()
        names = [provider.name for provider in providers if provider.is_simulated]
        if not names:
            return None
        if len(names) == len(providers):
            return Fact("all of this is simulated", "warn", "simulated")
        listed = shown(", ".join(names), _NAMES_WIDTH, self._desk.glyphs)
        return Fact(f"simulated: {listed}", "warn", "part simulated")

    def _age(self) -> Fact:
        feed = self._desk.feed
        if feed.last_at is None:
            return Fact("no events yet", "muted", "no events")
        age = self._desk.now() - feed.last_at
        if age < _RECENT_S:
            return Fact("last event just now", "muted", "event now")
        words = f"{age:.0f}s" if age < 60 else f"{age // 60:.0f}m" if age < 3600 else f"{age // 3600:.0f}h"
        return Fact(f"last event {words} ago", "muted", f"event {words} ago")
