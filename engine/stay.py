"""The values that the bench takes in and gives out: sentences, stays, blocks, tickets, transitions."""

from __future__ import annotations

import math
from typing import Final, Literal, NamedTuple, Self

WhyBack = Literal["success", "operator", "expired"]
TrialTakenBy = Literal["request", "probe"]
Outcome = Literal["success", "failure", "given_back", "lapsed"]
State = Literal["live", "due", "on_trial", "benched", "held"]

HIGHEST_LEVEL: Final = 64


class Terms(NamedTuple):
    """How long benches are, from the policy of the request that causes one.

    Attributes:
        cooldown_s: Seconds; length of the first bench.
        growth: Each further bench of the same name is this much longer.
        longest_s: Seconds; no bench is longer.
        probe: True if a probe tries the model when its bench runs out, and no request does.
    """

    cooldown_s: float
    growth: float = 1.0
    longest_s: float = math.inf
    probe: bool = False

    def length_s(self, level: int) -> float:
        """Seconds that a bench of a level lasts, levels counted from 1."""
        try:
            return min(self.longest_s, self.cooldown_s * self.growth ** (level - 1))
        except OverflowError:
            return self.longest_s


class Sentence(NamedTuple):
    """What a failure asks the bench for.

    Attributes:
        reason: The failure's reason.
        terms: How long benches are.
        exact_s: Seconds that the provider asked for; then cooldown and level play no part.
        floor_s: Seconds; the bench is not shorter, the longest one excepted.
        after: Failures in a row that it takes.
        dead: True if a key or its quota is gone, so that trying again can't help.
    """

    reason: str
    terms: Terms
    exact_s: float | None = None
    floor_s: float = 0.0
    after: int = 1
    dead: bool = False

    def length_s(self, level: int) -> float:
        """Seconds that the bench lasts at a level, levels counted from 1."""
        length = self.terms.length_s(level) if self.exact_s is None else self.exact_s
        return min(max(length, self.floor_s), self.terms.longest_s)


class Stay(NamedTuple):
    """One stay on the bench.

    Attributes:
        since: When it began, on the bench's clock.
        length_s: Seconds it lasts; None for no end.
        reason: Why, in a short word or the operator's own.
        by: Who, None for the engine itself.
        dead: True if trying again before its end can't help.
        terms: Those of the policy that caused it, None for an operator's hold.
    """

    since: float
    length_s: float | None
    reason: str
    by: str | None = None
    dead: bool = False
    terms: Terms | None = None

    @property
    def until(self) -> float | None:
        """When it ends, on the bench's clock; None for no end."""
        return None if self.length_s is None else self.since + self.length_s

    @property
    def end(self) -> float:
        """When it ends, on the bench's clock; infinite for no end."""
        return math.inf if self.length_s is None else self.since + self.length_s

    def is_over(self, now: float) -> bool:
        """True once its end has come."""
        return self.end <= now

    def shifted(self, by_s: float) -> Self:
        """The same on a clock that is ahead by so many seconds."""
        return self._replace(since=self.since + by_s)


class Block(NamedTuple):
    """Why a name may not play now, or, when it is due, why only one request may try it.

    Attributes:
        name: What is on the bench: the name asked for, or `provider/*`.
        state: `held`, `benched`, `due` or `on_trial`.
        stay: The stay that keeps it out; of several the manual one.
        level: Of the automatic bench.
        failures: Failures in a row.
        ends: When its state ends by itself, on the bench's clock: its stay's end, or its trial's lease;
            infinite if it does not.
        awaits_probe: True if it is due and a probe is to try it.
    """

    name: str
    state: State
    stay: Stay
    level: int
    failures: int
    ends: float
    awaits_probe: bool = False

    @property
    def manual(self) -> bool:
        """True for an operator's hold."""
        return self.state == "held"

    @property
    def may_be_tried(self) -> bool:
        """True for an automatic bench that trying again could prove wrong."""
        return self.state != "held" and not self.stay.dead

    @property
    def is_open(self) -> bool:
        """True if the next request may take the trial."""
        return self.state == "due" and not self.awaits_probe


class Ticket(NamedTuple):
    """What an attempt remembers of a name from its beginning: an older generation changes nothing.

    Attributes:
        name: The name.
        generation: The name's generation then.
        trial: The number of the trial it is; 0 for none.
    """

    name: str
    generation: int
    trial: int = 0


class Benched(NamedTuple):
    """The transition of a name onto the bench."""

    name: str
    stay: Stay
    manual: bool
    level: int
    failures: int


class Unbenched(NamedTuple):
    """The transition of a name off the bench."""

    name: str
    manual: bool
    why: WhyBack
    by: str | None = None


class Due(NamedTuple):
    """A model's automatic bench has run out."""

    name: str
    awaits_probe: bool


class Trial(NamedTuple):
    """A trial was taken, or, with an outcome, settled."""

    name: str
    by: TrialTakenBy
    outcome: Outcome | None = None


Transition = Benched | Unbenched | Due | Trial
