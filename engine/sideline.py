"""The bench as the engine uses it: every transition becomes one event, and stays end by themselves."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, NamedTuple

from engine.bench import Bench, Benched, Stay, Ticket, Transition
from engine.bus import Bus, iso
from engine.events import Event, KeyBenched, KeyUnbenched, ModelBenched, ModelUnbenched
from engine.names import is_key

_CLOCK_WAS_SET_S: Final = 0.5


class Sentence(NamedTuple):
    """A bench that a failure asks for.

    Attributes:
        length_s: Seconds it lasts.
        reason: The failure's reason.
        after: Failures in a row that it takes.
        dead: True if a key or quota is gone.
    """

    length_s: float
    reason: str
    after: int = 1
    dead: bool = False


class Sideline:
    """Keeps the bench, tells of its changes, and wakes whoever waits for one.

    Args:
        bus: Where the events go.
        clock: The engine's clock, seconds.
        wall: Seconds since the epoch.
    """

    def __init__(self, bus: Bus, clock: Callable[[], float], wall: Callable[[], float] = time.time) -> None:
        self.bench = Bench(clock)
        self._bus = bus
        self._clock = clock
        self._wall = wall
        self._offset = wall() - clock()
        self._timer: asyncio.TimerHandle | None = None
        self._waiting: set[asyncio.Future[None]] = set()

    def until(self, stay: Stay) -> str | None:
        """A stay's end as ISO 8601, None for no end."""
        if stay.until is None:
            return None
        # One offset for all, so that the same end reads the same each time, unless the clock was set.
        offset = self._wall() - self._clock()
        if abs(offset - self._offset) > _CLOCK_WAS_SET_S:
            self._offset = offset
        return iso(self._offset + stay.until)

    def remaining_s(self, stay: Stay) -> float | None:
        """Seconds until a stay ends, None for no end."""
        return None if stay.until is None else max(0.0, stay.until - self._clock())

    def failed(self, ticket: Ticket, sentence: Sentence) -> list[Transition]:
        """Counts a failure; the caller announces what came of it, after its own event."""
        return self.bench.failed(
            ticket, sentence.length_s, sentence.reason, after=sentence.after, dead=sentence.dead
        )

    def succeeded(self, tickets: Iterable[Ticket]) -> None:
        """Clears failures and automatic benches of everything that took part in a success."""
        for ticket in tickets:
            self.announce(self.bench.succeeded(ticket))

    def hold(self, name: str, length_s: float | None, reason: str, by: str) -> None:
        """An operator benches a name."""
        self.announce(self.bench.hold(name, length_s, reason, by))

    def unbench(self, name: str, by: str, also: Sequence[str] = ()) -> bool:
        """An operator brings a name back; True if it was out."""
        gone = self.bench.unbench(name, by, also)
        self.announce(gone)
        return bool(gone)

    def expire(self) -> None:
        """Ends the stays whose time is over. Cheap when there is none."""
        end = self.bench.next_end()
        if end is not None and end <= self._clock():
            self.announce(self.bench.expire())

    def announce(self, transitions: Sequence[Transition]) -> None:
        """Tells of transitions, wakes whoever waits, and sets the timer for the next end."""
        if not transitions:
            return
        for transition in transitions:
            self._tell(transition)
        for waiting in self._waiting:
            if not waiting.done():
                waiting.set_result(None)
        self._set_timer()

    async def change(self, within_s: float) -> None:
        """Waits until something changes on the bench, at most so many seconds."""
        waiting = asyncio.get_running_loop().create_future()
        self._waiting.add(waiting)
        try:
            await asyncio.wait((waiting,), timeout=within_s)
        finally:
            self._waiting.discard(waiting)
        self.expire()

    def close(self) -> None:
        """Stops the timer; stays then end when somebody next asks."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _tell(self, transition: Transition) -> None:
        key = is_key(transition.name)
        facts: dict[str, Any] = {"key" if key else "model": transition.name, "manual": transition.manual}
        kind: type[Event]
        if isinstance(transition, Benched):
            kind = KeyBenched if key else ModelBenched
            stay = transition.stay
            facts |= {"until": self.until(stay), "for_s": stay.length_s, "reason": stay.reason, "by": stay.by}
            facts |= {"level": transition.level, "failures": transition.failures}
        else:
            kind = KeyUnbenched if key else ModelUnbenched
            facts |= {"why": transition.why, "by": transition.by}
        if self._bus.wants(kind):
            self._bus.emit(kind(**facts))

    def _set_timer(self) -> None:
        self.close()
        end = self.bench.next_end()
        if end is None:
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return  # used outside a loop: the stay ends when somebody next asks
        # A millisecond late rather than early: a timer that fires before its time would find nothing.
        self._timer = loop.call_later(max(0.0, end - self._clock()) + 0.001, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        self.expire()
        if self._timer is None:
            self._set_timer()
