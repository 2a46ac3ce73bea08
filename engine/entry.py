"""One name's place on the bench: what is known of it, and the steps it can take. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass

from engine.stay import (
    HIGHEST_LEVEL,
    Benched,
    Block,
    Due,
    Outcome,
    Sentence,
    State,
    Stay,
    Ticket,
    Transition,
    Trial,
    TrialTakenBy,
    Unbenched,
    WhyBack,
)


@dataclass(frozen=True, slots=True)
class Lease:
    """A trial under way.

    Attributes:
        number: Tells it from every other.
        by: Who tries.
        until: When it lapses, on the bench's clock.
    """

    number: int
    by: TrialTakenBy
    until: float


@dataclass(slots=True, eq=False)
class Entry:
    """What the bench knows of one name.

    Attributes:
        name: The name.
        generation: Changes with each automatic bench and its end; older attempts are not heard.
        auto: The automatic bench, kept while the name is due or on trial.
        hold: The operator's.
        spared: Models that an operator took out of a hold of `provider/*`.
        lease: The trial under way; it may have lapsed.
        failures: Failures in a row.
    """

    name: str
    generation: int = 0
    auto: Stay | None = None
    hold: Stay | None = None
    spared: frozenset[str] = frozenset()
    lease: Lease | None = None
    failures: int = 0
    _level: int = 0
    _healthy_since: float = 0.0  # from when on the level falls
    _decay_s: float = math.inf  # by one in this time
    _is_told_due: bool = False
    _left_to_requests: bool = False  # a probe could not tell

    @property
    def is_key(self) -> bool:
        """True for a key, everywhere or on one model."""
        return "#" in self.name.partition("/")[0]

    @property
    def is_idle(self) -> bool:
        """True if nobody waits for any of it."""
        return self.hold is None and self.lease is None and (self.auto is None or self._is_told_due)

    @property
    def awaits_probe(self) -> bool:
        """True if a probe is to try it, and no request."""
        terms = self.auto.terms if self.auto else None
        return terms is not None and terms.probe and not self._left_to_requests

    def level(self, now: float) -> int:
        """The level, one lower for each cooldown that passed in health."""
        if self.auto is not None or not self._level:
            return self._level
        if not self._decay_s:
            return 0
        fallen = (now - self._healthy_since) / self._decay_s
        return max(0, self._level - int(min(fallen, HIGHEST_LEVEL)))

    def block(self, now: float) -> Block | None:
        """What keeps it out of play, None if nothing does."""
        hold, auto, lease = self.hold, self.auto, self.lease
        if hold is not None and not hold.is_over(now):
            return self._block("held", hold, now, hold.end)
        if auto is None or (self.is_key and auto.is_over(now)):
            return None
        if not auto.is_over(now):
            return self._block("benched", auto, now, auto.end)
        if lease is not None and lease.until > now:
            return self._block("on_trial", auto, now, lease.until)
        return self._block("due", auto, now, math.inf)._replace(awaits_probe=self.awaits_probe)

    def _block(self, state: State, stay: Stay, now: float, ends: float) -> Block:
        return Block(self.name, state, stay, self.level(now), self.failures, ends)

    def is_trial(self, ticket: Ticket, now: float) -> bool:
        """True if a ticket is that of the trial under way."""
        return self.lease is not None and self.lease.number == ticket.trial and self.lease.until > now

    # Steps

    def fail(self, after: int, now: float) -> bool:
        """Counts a failure in play; True if there are enough for a bench."""
        self._level = self.level(now)
        self._healthy_since = now
        self.failures += 1
        return self.failures >= after

    def bench(self, sentence: Sentence, now: float) -> Transition:
        """Benches it, a level up."""
        self._level = min(self._level + 1, HIGHEST_LEVEL)
        length = sentence.length_s(self._level)
        self.auto = Stay(now, length, sentence.reason, dead=sentence.dead, terms=sentence.terms)
        self._decay_s = sentence.terms.cooldown_s
        self._is_told_due = self._left_to_requests = False
        self.generation += 1
        return Benched(self.name, self.auto, manual=False, level=self._level, failures=self.failures)

    def lift(self, now: float, why: WhyBack) -> Transition:
        """Ends the automatic bench. Its level stays, and falls from now on."""
        self.auto = None
        self._healthy_since = now
        self.generation += 1
        return Unbenched(self.name, manual=False, why=why)

    def take(self, lease: Lease, now: float) -> list[Transition]:
        """Begins a trial."""
        due = [*self.settle("lapsed", now), *self.tell_due()]
        self.lease = lease
        return [*due, Trial(self.name, lease.by)]

    def settle(self, outcome: Outcome, now: float) -> list[Transition]:
        """Ends the trial that is under way, if there is one; one whose time is over has lapsed."""
        lease, self.lease = self.lease, None
        if lease is None:
            return []
        self._left_to_requests |= lease.by == "probe"
        return [Trial(self.name, lease.by, outcome if lease.until > now else "lapsed")]

    def tell_due(self) -> list[Transition]:
        """The automatic bench has run out: the transition, the first time."""
        if self._is_told_due:
            return []
        self._is_told_due = True
        return [Due(self.name, self.awaits_probe)]

    def clear(self, now: float, by: str) -> list[Transition]:
        """An operator lifts everything that keeps it out, and what is remembered against it."""
        blocked = self.block(now)
        settled = self.settle("given_back", now)
        self.auto = self.hold = None
        self.generation += 1
        self.spared = frozenset()
        self.failures = self._level = 0
        if blocked is None:
            return settled
        return [*settled, Unbenched(self.name, manual=blocked.manual, why="operator", by=by)]

    def expire(self, now: float) -> list[Transition]:
        """Ends what is over."""
        gone: list[Transition] = []
        if self.lease is not None and self.lease.until <= now:
            gone += self.settle("lapsed", now)
        if self.hold is not None and self.hold.is_over(now):
            self.hold = None
            self.spared = frozenset()
            gone.append(Unbenched(self.name, manual=True, why="expired"))
        if self.auto is not None and self.auto.is_over(now):
            gone += [self.lift(now, "expired")] if self.is_key else self.tell_due()
        return gone

    def next_end(self) -> float:
        """When something of it is over next, on the bench's clock; infinite for never."""
        lease = self.lease.until if self.lease else math.inf
        hold = self.hold.end if self.hold else math.inf
        auto = self.auto.end if self.auto and not self._is_told_due else math.inf
        return min(lease, hold, auto)
