"""What the engine told, kept until the screen has time for it: one bounded queue, drained by one timer."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
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


@dataclass(slots=True)
class Drained:
    """What one drain brought.

    Attributes:
        events: How many events.
        states: Whether a model's state may have changed.
        reloads: Configurations that were taken over or refused.
    """

    events: int = 0
    states: bool = False
    reloads: list[ConfigReloaded | ConfigRejected] = field(default_factory=list)


class Feed:
    """An observer of the engine whose `push` costs next to nothing.

    Args:
        figures: Told of every event while draining.
        size: Most events that wait; beyond it the oldest are dropped and counted.
        lines: Most lines that the stream of attempts keeps.

    Attributes:
        ring: The stream of all attempts and benches.
        figures: As given.
        seen: Events drained so far.
        dropped: Events that were lost on the way here.
        last_at: When an event last arrived, seconds on the dashboard's clock; None before the first.
        rejected: What was wrong with the last edit of the configuration; empty if nothing.
        rejections: Edits refused since the last good one.
        reloads: Edits taken over.
    """

    def __init__(self, figures: Figures, *, size: int = 100_000, lines: int = 5000) -> None:
        self.figures = figures
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
        pop, figures, take, watched = self._events.popleft, self.figures, self._merger.take, self._watched
        noting = self._notes.get
        for _ in range(min(len(self._events), _MOST_AT_ONCE)):
            event = pop()
            drained.events += 1
            figures(event)
            take(event, now)
            if watched and (merger := watched.get(getattr(event, "request", None) or "")):
                merger.take(event, now)
            if (note := noting(type(event))) is not None:
                note(event, drained)
        if drained.events:
            self.seen += drained.events
            self.last_at = now
        return drained

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
