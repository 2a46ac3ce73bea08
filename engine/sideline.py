"""The bench as the engine uses it: every transition becomes one event, and stays end by themselves."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from engine.bench import Bench
from engine.bus import Bus, iso
from engine.events import (
    Event,
    KeyBenched,
    KeyUnbenched,
    ModelBenched,
    ModelDue,
    ModelTrial,
    ModelUnbenched,
)
from engine.names import is_key
from engine.stay import Benched, Due, Sentence, Stay, Ticket, Transition, Trial, TrialTakenBy

_CLOCK_WAS_SET_S: Final = 0.5


class Sideline:
    """Keeps the bench, tells of its changes, and wakes whoever waits for one.

    Args:
        bus: Where the events go.
        clock: The engine's clock, seconds.
        probe: Begins a probe of a model that is due and awaits one, if none is under way.
        wall: Seconds since the epoch.
    """

    def __init__(
        self,
        bus: Bus,
        clock: Callable[[], float],
        probe: Callable[[str], None],
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.bench = Bench(clock)
        self._probe = probe
        self._bus = bus
        self._clock = clock
        self._wall = wall
        self._offset = wall() - clock()
        self._timer: asyncio.TimerHandle | None = None
        self._waiting: dict[str, set[asyncio.Future[None]]] = {}
        self._to_probe: set[str] = set()

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

    def take_trial(self, name: str, by: TrialTakenBy, lease_s: float) -> Ticket:
        """Begins the trial of a model that is due."""
        ticket, transitions = self.bench.take_trial(name, by, lease_s)
        self.announce(transitions)
        return ticket

    def failed(self, ticket: Ticket, sentence: Sentence) -> list[Transition]:
        """Counts a failure; the caller announces what came of it, after its own event."""
        return self.bench.failed(ticket, sentence)

    def succeeded(self, tickets: Iterable[Ticket]) -> None:
        """Clears failures and automatic benches of everything that took part in a success."""
        for ticket in tickets:
            self.announce(self.bench.succeeded(ticket))

    def give_back(self, ticket: Ticket) -> None:
        """Frees the trial of an attempt that told nothing of its model; nothing if it was none."""
        if ticket.trial:
            self.announce(self.bench.give_back(ticket))

    def hold(self, name: str, length_s: float | None, reason: str, by: str) -> None:
        """An operator benches a name."""
        self.announce(self.bench.hold(name, length_s, reason, by))

    def unbench(self, name: str, by: str, also: Sequence[str] = ()) -> None:
        """An operator brings a name back."""
        self.announce(self.bench.unbench(name, by, also))

    def expire(self) -> None:
        """Ends the stays and trials whose time is over. Cheap when there is none."""
        if self.bench.next_end() <= self._clock():
            self.announce(self.bench.expire())

    def announce(self, transitions: Sequence[Transition]) -> None:
        """Tells of transitions, wakes whoever waits, and sets the timer for the next end."""
        if not transitions:
            return
        for transition in transitions:
            self._tell(transition)
        for name in {transition.name for transition in transitions}:
            for waiting in self._waiting.get(name, ()):
                if not waiting.done():
                    waiting.set_result(None)
        self._set_timer()
        self.begin_probes()

    def begin_probes(self) -> None:
        """Has the models probed that are due and await it; those that an operator holds wait for his word."""
        for name in tuple(self._to_probe):
            block = self.bench.block(name)
            if block is not None and block.awaits_probe:
                self._probe(name)
            elif block is None or block.state in ("benched", "due"):
                self._to_probe.discard(name)

    async def change(self, within_s: float, names: frozenset[str]) -> None:
        """Waits until something changes for one of these names, at most so many seconds."""
        waiting = asyncio.get_running_loop().create_future()
        for name in names:
            self._waiting.setdefault(name, set()).add(waiting)
        try:
            await asyncio.wait((waiting,), timeout=within_s)
        finally:
            for name in names:
                self._waiting[name].discard(waiting)
                if not self._waiting[name]:
                    del self._waiting[name]
        self.expire()

    def close(self) -> None:
        """Stops the timer; stays then end when somebody next asks."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _tell(self, transition: Transition) -> None:
        kind, facts = self._event(transition)
        if self._bus.wants(kind):
            self._bus.emit(kind(**facts))
        if isinstance(transition, Due) and transition.awaits_probe:
            self._to_probe.add(transition.name)

    def _event(self, transition: Transition) -> tuple[type[Event], dict[str, Any]]:
        name = transition.name
        key = is_key(name)
        facts: dict[str, Any] = {"key" if key else "model": name}
        match transition:
            case Due():
                return ModelDue, facts
            case Trial(_, by, outcome):
                return ModelTrial, {**facts, "by": by, "outcome": outcome}
            case Benched(_, stay, manual, level, failures):
                facts |= {"until": self.until(stay), "for_s": stay.length_s, "manual": manual}
                facts |= {"reason": stay.reason, "by": stay.by, "level": level, "failures": failures}
                return (KeyBenched if key else ModelBenched), facts
            case _:
                facts |= {"manual": transition.manual, "why": transition.why, "by": transition.by}
                return (KeyUnbenched if key else ModelUnbenched), facts

    def _set_timer(self) -> None:
        self.close()
        end = self.bench.next_end()
        if end == math.inf:
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
