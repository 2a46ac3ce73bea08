"""The bench: who is out of play, since when, until when, and why. Pure: no I/O, an injected clock.

A name on the bench is a model (`provider/model`), all models of a provider (`provider/*`), a key
(`provider#name`) or a key on one model (`provider#name/model`). Two layers lie over each other: the
automatic bench, which failures make and time or success end, and the manual hold, which only an
operator or its own end lifts. Every method returns the transitions that took place, each exactly once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple

WhyBack = Literal["success", "operator", "expired"]


class Stay(NamedTuple):
    """One stay on the bench.

    Attributes:
        since: When it began, on the bench's clock.
        length_s: Seconds it lasts; None for no end.
        reason: Why, in a short word or the operator's own.
        by: Who, None for the engine itself.
        dead: True if a key or quota is gone, so that trying again can't help.
    """

    since: float
    length_s: float | None
    reason: str
    by: str | None = None
    dead: bool = False

    @property
    def until(self) -> float | None:
        """When it ends, on the bench's clock; None for no end."""
        return None if self.length_s is None else self.since + self.length_s


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


Transition = Benched | Unbenched


class Block(NamedTuple):
    """Why a name may not play now.

    Attributes:
        name: What is on the bench: the name asked for, or `provider/*`.
        stay: The stay that keeps it out; of several the manual one.
        manual: True for an operator's hold.
        level: Of the automatic bench.
        failures: Failures in a row.
    """

    name: str
    stay: Stay
    manual: bool
    level: int
    failures: int

    @property
    def end(self) -> float:
        """When it ends, on the bench's clock; infinite for no end."""
        return math.inf if self.stay.until is None else self.stay.until

    @property
    def may_be_tried(self) -> bool:
        """True for an automatic bench that trying again could prove wrong."""
        return not self.manual and not self.stay.dead


class Ticket(NamedTuple):
    """What an attempt remembers of a name from its beginning: an older generation changes nothing."""

    name: str
    generation: int


@dataclass(slots=True)
class _Entry:
    auto: Stay | None = None
    hold: Stay | None = None
    spared: frozenset[str] = frozenset()  # models that an operator took out of a `provider/*` hold
    failures: int = 0
    level: int = 0
    generation: int = 0

    @property
    def is_blank(self) -> bool:
        return self.auto is None and self.hold is None and self.failures == 0


class Bench:
    """The state machine of every name.

    Args:
        clock: Seconds that only ever grow, as `time.monotonic`.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._entries: dict[str, _Entry] = {}
        self._next_end: float | None = None

    def ticket(self, name: str) -> Ticket:
        """What an attempt takes along when it begins."""
        entry = self._entries.get(name)
        return Ticket(name, entry.generation if entry else 0)

    def block(self, name: str) -> Block | None:
        """What keeps a name out of play now, None if it may play. Asks for its provider, too."""
        own = self._block(name)
        if own is not None and own.manual:
            return own
        provider, slash, model = name.partition("/")
        if slash and model != "*" and "#" not in provider:
            whole = f"{provider}/*"
            entry = self._entries.get(whole)
            if entry is not None and entry.hold is not None and name not in entry.spared:
                return self._block(whole)
        return own

    def _block(self, name: str) -> Block | None:
        entry = self._entries.get(name)
        if entry is None:
            return None
        now = self._clock()
        for stay, manual in ((entry.hold, True), (entry.auto, False)):
            if stay is not None and (stay.until is None or stay.until > now):
                return Block(name, stay, manual, entry.level, entry.failures)
        return None

    def failures(self, name: str) -> int:
        """Requests in a row that exhausted their attempts on the name."""
        entry = self._entries.get(name)
        return entry.failures if entry else 0

    def blocks(self) -> list[Block]:
        """Everything on the bench now, in the order of its names."""
        found = (self._block(name) for name in sorted(self._entries))
        return [block for block in found if block is not None]

    def next_end(self) -> float | None:
        """When the next stay ends, on the bench's clock; None if none does."""
        return self._next_end

    def succeeded(self, ticket: Ticket) -> list[Transition]:
        """An attempt brought an answer: failures and automatic bench are cleared, a hold is not."""
        entry = self._entries.get(ticket.name)
        if entry is None or entry.generation != ticket.generation:
            return []
        entry.failures = 0
        if entry.auto is None:
            self._forget_blank(ticket.name)
            return []
        entry.auto = None
        entry.level = 0
        entry.generation += 1
        return [Unbenched(ticket.name, manual=False, why="success")]

    def failed(
        self, ticket: Ticket, length_s: float, reason: str, *, after: int = 1, dead: bool = False
    ) -> list[Transition]:
        """A request gave up on a name: one failure more, and the bench once there are enough.

        Args:
            ticket: From the attempt's beginning.
            length_s: Seconds the bench lasts.
            reason: The failure's reason.
            after: Failures in a row that it takes.
            dead: True if a key or quota is gone.

        Returns:
            The bench, or nothing: too few failures, benched already, or the attempt began before a
            bench or unbench and is no longer heard.
        """
        entry = self._entries.setdefault(ticket.name, _Entry())
        if entry.generation != ticket.generation or entry.auto is not None:
            return []
        entry.failures += 1
        if entry.failures < after:
            return []
        now = self._clock()
        entry.auto = Stay(now, length_s, reason, dead=dead)
        entry.level = 1
        entry.generation += 1
        self._note_end(entry.auto)
        return [Benched(ticket.name, entry.auto, manual=False, level=entry.level, failures=entry.failures)]

    def hold(self, name: str, length_s: float | None, reason: str, by: str) -> list[Transition]:
        """An operator takes a name out of play, whatever its state; a hold that stands is replaced."""
        entry = self._entries.setdefault(name, _Entry())
        now = self._clock()
        entry.hold = Stay(now, length_s, reason, by)
        entry.spared = frozenset()
        self._note_end(entry.hold)
        return [Benched(name, entry.hold, manual=True, level=entry.level, failures=entry.failures)]

    def unbench(self, name: str, by: str, also: Iterable[str] = ()) -> list[Transition]:
        """An operator brings a name back: hold, automatic bench and failures are cleared.

        Args:
            name: A model, `provider/*`, or a key. For `provider/*` every model and key of the
                provider comes back, too.
            by: Who.
            also: Other names that keep this one out, as a model's keys.

        Returns:
            What came back; nothing if nothing was out.
        """
        provider, slash, model = name.partition("/")
        names = {name, *also}
        if slash and model == "*":
            names |= {n for n in self._entries if n.startswith((f"{provider}/", f"{provider}#"))}
        gone: list[Transition] = []
        for each in sorted(names):
            gone += self._clear(each, by)
        if slash and model != "*" and "#" not in provider:
            gone += self._spare(f"{provider}/*", name, by)
        return gone

    def _clear(self, name: str, by: str) -> list[Transition]:
        entry = self._entries.get(name)
        if entry is None:
            return []
        blocked = self._block(name)
        entry.auto = entry.hold = None
        entry.failures = entry.level = 0
        entry.generation += 1
        if blocked is None:
            return []
        return [Unbenched(name, manual=blocked.manual, why="operator", by=by)]

    def _spare(self, whole: str, model: str, by: str) -> list[Transition]:
        entry = self._entries.get(whole)
        if entry is None or self._block(whole) is None or model in entry.spared:
            return []
        entry.spared |= {model}
        return [Unbenched(model, manual=True, why="operator", by=by)]

    def expire(self) -> list[Transition]:
        """Ends the stays whose time is over."""
        now = self._clock()
        if self._next_end is None or now < self._next_end:
            return []
        self._next_end = None
        gone: list[Transition] = []
        for name, entry in self._entries.items():
            if entry.hold is not None and _is_over(entry.hold, now):
                entry.hold = None
                gone.append(Unbenched(name, manual=True, why="expired"))
            if entry.auto is not None and _is_over(entry.auto, now):
                entry.auto = None
                entry.generation += 1
                gone.append(Unbenched(name, manual=False, why="expired"))
            for stay in (entry.hold, entry.auto):
                if stay is not None:
                    self._note_end(stay)
        return gone

    def _note_end(self, stay: Stay) -> None:
        if stay.until is not None and (self._next_end is None or stay.until < self._next_end):
            self._next_end = stay.until

    def _forget_blank(self, name: str) -> None:
        # A blank entry of generation 0 says nothing that a missing one does not.
        if self._entries[name].is_blank and self._entries[name].generation == 0:
            del self._entries[name]


def _is_over(stay: Stay, now: float) -> bool:
    return stay.until is not None and stay.until <= now
