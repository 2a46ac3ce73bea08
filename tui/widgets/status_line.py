"""The line that says what the screen can't be trusted with: simulated, old, dropped, paused, refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual.strip import Strip

from tui.cells import shown, width_of
from tui.desk import Desk
from tui.text import ago
from tui.widgets.facts import Fact, fitted
from tui.widgets.lined import Cell, Lined

_RECENT_S = 2.0
_NAMES_WIDTH = 40
_NAME_WIDTH = 24
_LEAST_WHY = 24


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
        self.desk = desk
        self._painted: object = None

    def tick(self) -> None:
        """Paints the line if it would look different."""
        # What it says changes with the feed and with each second; asking for less is asking too often.
        feed, store, silent = self.desk.feed, self.desk.source.store, self.desk.engines.silent
        waits = feed.seen if self.pause else 0
        counts = (waits, feed.dropped, feed.reloads, feed.rejections, len(self.desk.engines.there))
        known = (counts, self.pause, self._age(), store, [ago(each.seen_s) for each in silent], self.size)
        if self._painted != known:
            self._painted = known
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """Draws the line."""
        return self.line(self._cells() if y == 0 else (), self.size.width)

    def _cells(self) -> list[Cell]:
        glyphs = self.desk.glyphs
        gap = f" {glyphs.dot} "
        cells = fitted(self._facts(), self.size.width - 2, gap)
        if self.pause is not None:
            cells = [(text, "banner") for text, _ in cells]
            used = sum(len(text) for text, _ in cells)
            return [(" ", "banner"), *cells, (" " * max(0, self.size.width - used - 1), "banner")]
        return [(" ", "text"), *cells]

    def _facts(self) -> list[Fact]:
        desk, feed = self.desk, self.desk.feed
        facts = []
        if self.pause is not None:
            sign, waits = desk.glyphs.pause, feed.seen - self.pause.seen
            text = f"{sign} paused at {self.pause.at}, {waits} events wait"
            facts.append(Fact(f"{text}, {self.pause.key} goes on", "banner", f"{sign} paused, {waits} wait"))
        weighty = []
        if feed.rejected:
            weighty.append(self._rejected())
        if feed.dropped:
            weighty.append(Fact(f"{feed.dropped} events dropped", "bad", f"{feed.dropped} dropped"))
        if simulated := self._simulated():
            weighty.append(simulated)
        if desk.read_only:
            weighty.append(Fact("read-only", "accent"))
        facts += self._trouble([each.text for each in facts] + [each.short or each.text for each in weighty])
        facts += weighty
        facts += self._silent()
        facts.append(self._age())
        if feed.reloads:
            times = "" if feed.reloads == 1 else f" {feed.reloads} times"
            facts.append(Fact(f"config reloaded{times}", "muted", "reloaded", minor=True))
        facts += self.where()
        return facts

    def _trouble(self, beside: Sequence[str]) -> list[Fact]:
        """Why the store is down, in the room that what must stand beside it leaves."""
        store, glyphs = self.desk.source.store, self.desk.glyphs
        if store.ok:
            return []
        short = f"{glyphs.warn} store down"
        head = f"{glyphs.warn} store degraded: "
        taken = sum(width_of(text) + len(" . ") for text in beside)
        room = self.size.width - 2 - width_of(head) - taken
        if not store.why or room < _LEAST_WHY:
            return [Fact(short, "warn")]
        why = store.why.replace(store.store, store_name(store.store))
        return [Fact(f"{head}{shown(why, room, glyphs)}", "warn", short)]

    def _silent(self) -> list[Fact]:
        """Which engines fell silent; while the store is down that says nothing of them."""
        silent, glyphs = self.desk.engines.silent, self.desk.glyphs
        if not silent or not self.desk.source.store.ok:
            return []
        last = silent[0]
        more = f" and {len(silent) - 1} more" if len(silent) > 1 else ""
        said = f"{shown(last.name, _NAME_WIDTH, glyphs)} silent {ago(last.seen_s)}{more}"
        return [Fact(f"{self._count()}, {said}", "warn", f"{len(silent)} silent")]

    def _count(self) -> str:
        count = len(self.desk.engines.there)
        return "1 engine" if count == 1 else f"{count} engines"

    def where(self) -> list[Fact]:
        """Which store this is, and how many are there."""
        desk = self.desk
        store = desk.source.store
        if not store.shared:
            return [Fact("benches are of this process only", "faint", "this process only", minor=True)]
        name = store_name(store.store)
        facts = [self.named(name, "" if "://" in store.store else "shared: ")]
        if desk.engines.there and store.ok and not desk.engines.silent:
            facts.append(Fact(self._count(), "faint", minor=True))
        return facts

    def named(self, name: str, before: str = "") -> Fact:
        """A name as a fact that may go first."""
        name = shown(name, _NAMES_WIDTH, self.desk.glyphs)
        return Fact(f"{before}{name}", "faint", name, minor=True)

    def _rejected(self) -> Fact:
        feed, glyphs = self.desk.feed, self.desk.glyphs
        count = len(feed.rejected)
        faults = "1 fault" if count == 1 else f"{count} faults"
        short = f"{glyphs.warn} config: {faults}"
        room = max(0, self.size.width // 2 - len(short))
        return Fact(
            f"{glyphs.warn} config rejected, {faults}: {shown(feed.rejected[0], room, glyphs)}", "bad", short
        )

    def _simulated(self) -> Fact | None:
        providers = self.desk.source.config.every_provider.values()
        names = [provider.name for provider in providers if provider.is_simulated]
        if not names:
            return None
        if len(names) == len(providers):
            return Fact("all of this is simulated", "warn", "simulated")
        listed = shown(", ".join(names), _NAMES_WIDTH, self.desk.glyphs)
        return Fact(f"simulated: {listed}", "warn", "part simulated")

    def _age(self) -> Fact:
        feed = self.desk.feed
        minor = not self.desk.source.store.ok  # why it is down says more
        if feed.last_at is None:
            return Fact("no events yet", "muted", "no events", minor)
        age = self.desk.now() - feed.last_at
        if age < _RECENT_S:
            return Fact("last event just now", "muted", "event now", minor)
        return Fact(f"last event {ago(age)} ago", "muted", f"event {ago(age)} ago", minor)


def store_name(store: str) -> str:
    """A store in as few words as tell it from others: a file's name, or `redis HOST:PORT/DB`."""
    scheme, found, rest = store.partition("://")
    if not found:
        return store.replace("\\", "/").rpartition("/")[2] or store
    return f"{scheme} {rest.rpartition('@')[2].removesuffix('/0')}"
