"""The bench as the engine uses it: every transition becomes one event, and stays end by themselves."""

from __future__ import annotations

import asyncio
import math
import secrets
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from engine.bench import Bench
from engine.bus import Bus, iso
from engine.entry import Entry
from engine.events import (
    Event,
    KeyBenched,
    KeyUnbenched,
    ModelBenched,
    ModelDue,
    ModelTrial,
    ModelUnbenched,
)
from engine.ledger import Door, Ledger
from engine.names import is_key, is_model
from engine.stay import Benched, Due, Sentence, Stay, Ticket, Transition, Trial, TrialTakenBy
from engine.steps import (
    Cleared,
    Expired,
    Extended,
    Failed,
    GivenBack,
    Held,
    Spared,
    Succeeded,
    Taken,
    TrialTaken,
)

_CLOCK_WAS_SET_S: Final = 0.5
_WORTH_SHARING_S: Final = 1.0
_LOOKS: Final = 3


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
        self._offset = self._ahead_s()
        self._ledger: Ledger | None = None
        self._door: Door | None = None
        self._trial = 0  # the last one's number
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
            self._offset = self._ahead_s()
        return iso(self._offset + stay.until)

    def _ahead_s(self) -> float:
        """Seconds that the wall's clock is ahead of the engine's; the quickest of a few looks counts."""
        looks = []
        for _ in range(_LOOKS):
            before, wall, after = self._clock(), self._wall(), self._clock()
            looks.append((after - before, wall - (before + after) / 2))
        return min(looks)[1]

    def remaining_s(self, stay: Stay) -> float | None:
        """Seconds until a stay ends, None for no end."""
        return None if stay.until is None else max(0.0, stay.until - self._clock())

    # Steps

    def join(self, ledger: Ledger, door: Door) -> None:
        """From now on every step counts for all engines at one store."""
        self._ledger, self._door = ledger, door

    async def ready(self) -> None:
        """Waits, not long, until it is known what other engines benched."""
        if self._door is not None:
            await self._door.ready()

    async def settled(self) -> None:
        """Waits, not long, until all steps so far count, and have been told of."""
        if self._ledger is not None and self._ledger.is_waiting:
            await self._ledger.settled()

    async def claim(self, name: str, by: TrialTakenBy, lease_s: float) -> Ticket | None:
        """Begins the trial of a model that is due; None if another engine was first."""
        if self._ledger is None:
            return self.take_trial(name, by, lease_s)
        # Made up where it is needed: processes forked off an engine that was not used yet count apart.
        self._trial = (self._trial or secrets.randbits(40) << 20) + 1
        step = TrialTaken(name, by, lease_s, self._trial)
        ticket, transitions = self.bench.take_trial(name, by, lease_s, self._trial)
        try:
            is_ours = await self._ledger.claim(step, transitions)
        except BaseException:
            self.give_back(ticket, unasked=True)
            raise
        return ticket if is_ours else None

    def take_trial(self, name: str, by: TrialTakenBy, lease_s: float) -> Ticket:
        """Begins the trial of a model that is due, for this engine alone."""
        ticket, transitions = self.bench.take_trial(name, by, lease_s)
        self.announce(transitions)
        return ticket

    def extend(self, ticket: Ticket, more_s: float) -> None:
        """Gives a trial more time before it lapses."""
        self.bench.extend(ticket, more_s)
        if more_s >= _WORTH_SHARING_S:
            self._share(Extended(ticket, more_s), ())

    def failed(self, ticket: Ticket, sentence: Sentence) -> tuple[Failed, list[Transition]]:
        """Counts a failure; the caller has it settled once its own event is out."""
        step = Failed(ticket, sentence)
        return step, step.take(self.bench)

    def settle(self, step: Failed, transitions: Sequence[Transition]) -> None:
        """Tells of what came of a failure, or has it told once it is known what that is among all engines."""
        self._share(step, transitions)

    def succeeded(self, tickets: Iterable[Ticket]) -> None:
        """Clears failures and automatic benches of everything that took part in a success."""
        for ticket in tickets:
            counted = self.bench.failures(ticket.name)
            transitions = self.bench.succeeded(ticket)
            if transitions or counted:
                self._share(Succeeded(ticket), transitions)

    def give_back(self, ticket: Ticket, *, unasked: bool = False) -> None:
        """Frees the trial of an attempt that told nothing of its model; nothing if it was none.

        Args:
            ticket: The attempt's.
            unasked: True if the model was not asked to the end, so that a probe may still tell.
        """
        transitions = self.bench.give_back(ticket, unasked=unasked) if ticket.trial else []
        if transitions:
            self._share(GivenBack(ticket, unasked), transitions)

    def hold(self, name: str, length_s: float | None, reason: str, by: str) -> None:
        """An operator benches a name."""
        step = Held(name, length_s, reason, by)
        self._order([step], step.take(self.bench))

    def unbench(self, name: str, by: str, also: Sequence[str] = ()) -> None:
        """An operator brings a name back."""
        steps: list[Taken] = [Cleared(each, by) for each in self.bench.lifted_with(name, also)]
        if is_model(name):
            steps.append(Spared(name, by))
        self._order(steps, self.bench.unbench(name, by, also))

    def expire(self) -> None:
        """Ends the stays and trials whose time is over. Cheap when there is none."""
        if self._door is not None:
            self._door.catch_up()
        if self.bench.next_end() > self._clock():
            return
        transitions = self.bench.expire()
        if self._ledger is None:
            self.announce(transitions)
            return
        for name in dict.fromkeys(each.name for each in transitions):
            self._share(Expired(name), [each for each in transitions if each.name == name])

    def adopt(self, entries: Sequence[Entry]) -> None:
        """Takes over what other engines know of some names."""
        if not entries:
            return
        self.bench.put(entries)
        for entry in entries:
            if entry.awaits_probe:
                self._to_probe.add(entry.name)
        self._moved(entry.name for entry in entries)

    def _share(self, step: Taken, transitions: Sequence[Transition]) -> None:
        """A step of the engine's own: told of at once, or, among many engines, by whoever it counts for."""
        if self._ledger is None:
            self.announce(transitions)
            return
        self._moved(transition.name for transition in transitions)
        self._ledger.submit(step, transitions, told=False)

    def _order(self, steps: Iterable[Taken], transitions: Sequence[Transition]) -> None:
        """An operator's steps: told of at once, whatever others do at that time."""
        if self._ledger is not None:
            for step in steps:
                self._ledger.submit(step, (), told=True)
        self.announce(transitions)

    # What follows from them

    def announce(self, transitions: Sequence[Transition]) -> None:
        """Tells of transitions, wakes whoever waits, and sets the timer for the next end."""
        if not transitions:
            return
        for transition in transitions:
            self._tell(transition)
        self._moved(transition.name for transition in transitions)

    def _moved(self, names: Iterable[str]) -> None:
        """Wakes whoever waits for one of these names, and sets the timer for the next end."""
        for name in set(names):
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
