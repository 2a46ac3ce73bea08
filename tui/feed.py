"""What the engine told, kept until the screen has time for it: one bounded queue, drained by one timer."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any, Final

from engine import (
    ConfigRejected,
    ConfigReloaded,
    Event,
    FeedDropped,
    Figures,
    KeyBenched,
    KeyUnbenched,
    ModelBenched,
    ModelDue,
    ModelTrial,
    ModelUnbenched,
)
from tui.merger import Merger
from tui.ring import Ring

HZ = 8
"""How often a second the feed is drained."""

_MOST_AT_ONCE: Final = 20_000  # a drain after a long stall must not become one itself
_MOST_ENGINES: Final = 1000
_NEWS_LAST_S: Final = 1.0
"""What another engine tells of may reach this one's bench a little later than its event: so long."""


@dataclass(slots=True)
class Drained:
    """What one drain brought.

    Attributes:
        events: How many events.
        states: Whether a model's state may have changed, now or a moment ago.
        reloads: Configurations that were taken over or refused.
    """

    events: int = 0
    states: bool = False
    reloads: list[ConfigReloaded | ConfigRejected] = field(default_factory=list)


class Feed:
    """An observer of engines whose `push` costs next to nothing.

    Args:
        figures: Told of every event while draining.
        size: Most events that wait; beyond it the oldest are dropped and counted.
        lines: Most lines that the stream of attempts keeps.

    Attributes:
        ring: The stream of all attempts and benches.
        figures: As given.
        seen: Events drained so far.
        dropped: Events that were lost on the way here.
        last_at: When the latest event happened, seconds on the dashboard's clock; None before the first.
        rejected: What was wrong with the last edit of the configuration; empty if nothing.
        rejections: Edits refused since the last good one.
        reloads: Edits taken over.
    """

    def __init__(self, figures: Figures, *, size: int = 100_000, lines: int = 5000) -> None:
        self.figures = figures
        self._heard: OrderedDict[str, float] = OrderedDict()
        self._news_until = float("-inf")
        self.ring = Ring(lines)
        self.seen = 0
        self.dropped = 0
        self.last_at: float | None = None
        self.rejected: tuple[str, ...] = ()
        self.rejections = 0
        self.reloads = 0
        self._events: deque[Event] = deque(maxlen=size)
        self._lost = 0
        self._merger = Merger(self.ring)
        self._watched: dict[str, Merger] = {}
        self._benched_at: dict[str, str] = {}
        self._tried_by: dict[str, str] = {}
        self._notes: dict[type[Event], Callable[[Any, Drained], None]] = {
            ModelBenched: self._note_benched,
            ModelUnbenched: self._note_unbenched,
            KeyBenched: self._note_state,
            KeyUnbenched: self._note_state,
            ModelDue: self._note_state,
            ModelTrial: self._note_trial,
            FeedDropped: self._note_dropped,
            ConfigReloaded: self._note_reloaded,
            ConfigRejected: self._note_rejected,
        }

    def copy(self) -> Feed:
        """As it is now; without what waits to be drained, and with no request watched."""
        copy = Feed(self.figures.copy(), size=self._events.maxlen or 0, lines=self.ring.size)
        copy._merger = self._merger.copy()
        copy.ring = copy._merger.ring
        copy._heard = self._heard.copy()
        copy._benched_at = self._benched_at.copy()
        copy._tried_by = self._tried_by.copy()
        copy._news_until = self._news_until
        copy.seen, copy.dropped, copy.last_at = self.seen, self.dropped, self.last_at
        copy.rejected, copy.rejections, copy.reloads = self.rejected, self.rejections, self.reloads
        return copy

    def push(self, event: Event) -> None:
        """Takes one event from the engine."""
        events = self._events
        if len(events) == events.maxlen:
            self._lost += 1
        events.append(event)

    def watch(self, request: str) -> Ring:
        """A ring of one request's lines, from what is known of it on; skipped models included.

        The events that wait to be drained count as yet to come, so a request that was begun just
        now is seen from its start.
        """
        if request not in self._watched:
            self._watched[request] = Merger(Ring(1000), skips=True)
        return self._watched[request].ring

    def unwatch(self, request: str) -> None:
        """Stops writing a request's ring; whoever has it may go on reading it."""
        self._watched.pop(request, None)

    def drain(self, now: float) -> Drained:
        """Works off what waits.

        Args:
            now: Seconds on the dashboard's clock.
        """
        drained = Drained()
        if self._lost:
            self._count_lost(self._lost)
            self._lost = 0
        pop = self._events.popleft
        events = [pop() for _ in range(min(len(self._events), _MOST_AT_ONCE))]
        self._take(self._in_order(events, now), drained)
        if drained.states:
            self._news_until = now + _NEWS_LAST_S
        drained.states |= now < self._news_until
        return drained

    def take(self, timed: Sequence[tuple[float, Event]]) -> Drained:
        """Takes events in at once, whatever waits to be drained.

        Args:
            timed: When each happened, seconds on the dashboard's clock, and the event; in that order.
        """
        drained = Drained()
        heard = {event.engine: when for when, event in timed}
        latest = dict.fromkeys(event.engine for _, event in reversed(timed))
        self._hear({engine: heard[engine] for engine in reversed(latest)})
        self._take(timed, drained)
        return drained

    def silence(self, engines: Container[str]) -> None:
        """Some engines give no sign of life: what they have under way is not said to run.

        Args:
            engines: Their names.
        """
        for merger in (self._merger, *self._watched.values()):
            merger.silence(engines)

    @property
    def engines(self) -> Mapping[str, float]:
        """Each engine that was heard, and when last, seconds on the dashboard's clock."""
        return self._heard

    def _take(self, timed: Sequence[tuple[float, Event]], drained: Drained) -> None:
        figures, take, watched = self.figures.take, self._merger.take, self._watched
        noting = self._notes.get
        for when, event in timed:
            figures(event, when)
            take(event, when)
            if watched and (merger := watched.get(getattr(event, "request", None) or "")):
                merger.take(event, when)
            if (note := noting(type(event))) is not None:
                note(event, drained)
        drained.events += len(timed)
        self.seen += len(timed)

    def _in_order(self, events: Iterable[Event], now: float) -> list[tuple[float, Event]]:
        """Events and when they happened: those of several engines in one order, each one's own kept."""
        when_of = self.figures.when
        heard: dict[str, float] = {}
        timed = []
        for event in events:
            # An engine's events come in their order, even if its clock was set back meanwhile.
            when = min(now, max(when_of(event), heard.get(event.engine, float("-inf"))))
            heard[event.engine] = when
            timed.append((when, event))
        if len(heard) > 1:
            timed.sort(key=itemgetter(0))
        self._hear(heard)
        return timed

    def _hear(self, engines: Mapping[str, float]) -> None:
        heard = self._heard
        for engine, when in engines.items():
            heard[engine] = max(when, heard.get(engine, when))
            heard.move_to_end(engine)
            if len(heard) > _MOST_ENGINES:
                heard.popitem(last=False)
            self.last_at = when if self.last_at is None else max(self.last_at, when)

    def benched_since(self, model: str) -> str:
        """When a model, or its whole provider, was benched; empty if that was never told."""
        return self._benched_at.get(model) or self._benched_at.get(f"{model.partition('/')[0]}/*", "")

    def tried_by(self, model: str) -> str:
        """Who tries a model that is on trial, `request` or `probe`; empty if that was never told."""
        return self._tried_by.get(model, "")

    @property
    def waiting(self) -> int:
        """Events that wait to be drained."""
        return len(self._events)

    def _count_lost(self, count: int) -> None:
        self.dropped += count
        self._tried_by.clear()
        for merger in (self._merger, *self._watched.values()):
            merger.lost_events()

    def _note_benched(self, event: ModelBenched, drained: Drained) -> None:
        drained.states = True
        self._benched_at[event.model] = event.at

    def _note_unbenched(self, event: ModelUnbenched, drained: Drained) -> None:
        drained.states = True
        self._benched_at.pop(event.model, None)

    def _note_state(self, _event: Event, drained: Drained) -> None:
        drained.states = True

    def _note_trial(self, event: ModelTrial, drained: Drained) -> None:
        drained.states = True
        if event.outcome is None:
            self._tried_by[event.model] = event.by
        else:
            self._tried_by.pop(event.model, None)

    def _note_dropped(self, event: FeedDropped, _drained: Drained) -> None:
        self._count_lost(event.count)

    def _note_reloaded(self, event: ConfigReloaded, drained: Drained) -> None:
        drained.states = True
        drained.reloads.append(event)
        self.reloads += 1
        self.rejected, self.rejections = (), 0

    def _note_rejected(self, event: ConfigRejected, drained: Drained) -> None:
        drained.reloads.append(event)
        self.rejected = event.faults
        self.rejections += 1
