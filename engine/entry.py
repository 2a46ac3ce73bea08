"""One name's place on the bench: what is known of it, and the steps it can take. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Self

from engine.names import is_key
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

    def shifted(self, by_s: float) -> Self:
        """The same on a clock that is ahead by so many seconds."""
        return replace(self, until=self.until + by_s)


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
        top_level: The level when it last changed; `level` says what is left of it.
        healthy_since: From when on the level falls.
        decay_s: It falls by one in this time.
        is_told_due: True once its being due has been told.
        left_to_requests: True once a probe could not tell.
    """

    name: str
    generation: int = 0
    auto: Stay | None = None
    hold: Stay | None = None
    spared: frozenset[str] = frozenset()
    lease: Lease | None = None
    failures: int = 0
    top_level: int = 0
    healthy_since: float = 0.0
    decay_s: float = math.inf
    is_told_due: bool = False
    left_to_requests: bool = False

    @property
    def is_key(self) -> bool:
        """True for a key, everywhere or on one model."""
        return is_key(self.name)

    @property
    def is_idle(self) -> bool:
        """True if nobody waits for any of it."""
        return self.hold is None and self.lease is None and (self.auto is None or self.is_told_due)

    @property
    def awaits_probe(self) -> bool:
        """True if a probe is to try it, and no request."""
        terms = self.auto.terms if self.auto else None
        return terms is not None and terms.probe and not self.left_to_requests

    @property
    def is_blank(self) -> bool:
        """True if nothing keeps it out and nothing counts against it."""
        return not (self.hold or self.auto or self.lease or self.failures or self.top_level)

    def shifted(self, by_s: float) -> Self:
        """A copy on a clock that is ahead by so many seconds."""
        return replace(
            self,
            auto=self.auto and self.auto.shifted(by_s),
            hold=self.hold and self.hold.shifted(by_s),
            lease=self.lease and self.lease.shifted(by_s),
            healthy_since=self.healthy_since + by_s,
        )

    def level(self, now: float) -> int:
        """The level, one lower for each cooldown that passed in health."""
        if self.auto is not None or not self.top_level:
            return self.top_level
        if not self.decay_s:
            return 0
        fallen = (now - self.healthy_since) / self.decay_s
        return max(0, self.top_level - int(min(fallen, HIGHEST_LEVEL)))

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
        self.top_level = self.level(now)
        self.healthy_since = now
        self.failures += 1
        return self.failures >= after

    def bench(self, sentence: Sentence, now: float) -> Transition:
        """Benches it, a level up."""
        self.top_level = min(self.top_level + 1, HIGHEST_LEVEL)
        length = sentence.length_s(self.top_level)
        self.auto = Stay(now, length, sentence.reason, dead=sentence.dead, terms=sentence.terms)
        self.decay_s = sentence.terms.cooldown_s
        self.is_told_due = self.left_to_requests = False
        self.generation += 1
        return Benched(self.name, self.auto, manual=False, level=self.top_level, failures=self.failures)

    def lift(self, now: float, why: WhyBack) -> Transition:
        """Ends the automatic bench. Its level stays, and falls from now on."""
        self.auto = None
        self.healthy_since = now
        self.generation += 1
        return Unbenched(self.name, manual=False, why=why)

    def take(self, lease: Lease, now: float) -> list[Transition]:
        """Begins a trial."""
        due = [*self.settle("lapsed", now), *self.tell_due()]
        self.lease = lease
        return [*due, Trial(self.name, lease.by)]

    def settle(self, outcome: Outcome, now: float, *, unasked: bool = False) -> list[Transition]:
        """Ends the trial that is under way, if there is one; one whose time is over has lapsed.

        Args:
            outcome: How it ended, if it was in time.
            now: Seconds, on the bench's clock.
            unasked: True if the model was not asked to the end: another probe may do that.
        """
        lease, self.lease = self.lease, None
        if lease is None:
            return []
        self.left_to_requests |= lease.by == "probe" and not unasked
        return [Trial(self.name, lease.by, outcome if lease.until > now else "lapsed")]

    def tell_due(self) -> list[Transition]:
        """The automatic bench has run out: the transition, the first time."""
        if self.is_told_due:
            return []
        self.is_told_due = True
        return [Due(self.name, self.awaits_probe)]

    def clear(self, now: float, by: str) -> list[Transition]:
        """An operator lifts everything that keeps it out, and what is remembered against it."""
        blocked = self.block(now)
        settled = self.settle("given_back", now)
        self.auto = self.hold = None
        self.generation += 1
        self.spared = frozenset()
        self.failures = self.top_level = 0
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
        auto = self.auto.end if self.auto and not self.is_told_due else math.inf
        return min(lease, hold, auto)
