"""The steps of the bench as values: the same step can be taken here, in the store, and again. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple, Self

from engine.bench import Bench
from engine.entry import Entry
from engine.names import whole_provider
from engine.stay import Sentence, Ticket, Transition, TrialTakenBy


class Failed(NamedTuple):
    """A request gave up on a name."""

    ticket: Ticket
    sentence: Sentence

    @property
    def name(self) -> str:
        """Whose step it is."""
        return self.ticket.name

    def take(self, bench: Bench) -> list[Transition]:
        """Takes it on a bench."""
        return bench.failed(self.ticket, self.sentence)


class Succeeded(NamedTuple):
    """An attempt brought an answer."""

    ticket: Ticket

    @property
    def name(self) -> str:
        """Whose step it is."""
        return self.ticket.name

    def take(self, bench: Bench) -> list[Transition]:
        """Takes it on a bench."""
        return bench.succeeded(self.ticket)


class GivenBack(NamedTuple):
    """A trial told nothing of its model.

    Attributes:
        ticket: The trial's.
        unasked: True if the model was not asked to the end.
    """

    ticket: Ticket
    unasked: bool = False

    @property
    def name(self) -> str:
        """Whose step it is."""
        return self.ticket.name

    def take(self, bench: Bench) -> list[Transition]:
        """Takes it on a bench."""
        return bench.give_back(self.ticket, unasked=self.unasked)


class Extended(NamedTuple):
    """A trial gets more time."""

    ticket: Ticket
    more_s: float

    @property
    def name(self) -> str:
        """Whose step it is."""
        return self.ticket.name

    def take(self, bench: Bench) -> list[Transition]:
        """Takes it on a bench."""
        bench.extend(self.ticket, self.more_s)
        return []


class TrialTaken(NamedTuple):
    """Somebody wants the trial of a model that is due; nothing comes of it if another has it."""

    name: str
    by: TrialTakenBy
    lease_s: float
    number: int

    def take(self, bench: Bench) -> list[Transition]:
        """Takes it on a bench."""
        if not bench.may_take_trial(self.name, self.by):
            return []
        return bench.take_trial(self.name, self.by, self.lease_s, self.number)[1]


class Held(NamedTuple):
    """An operator benches a name."""

    name: str
    length_s: float | None
    reason: str
    by: str

    def take(self, bench: Bench) -> list[Transition]:
        """Takes it on a bench."""
        return bench.hold(self.name, self.length_s, self.reason, self.by)


class Cleared(NamedTuple):
    """An operator lifts all that keeps a name out itself."""

    name: str
    by: str

    def take(self, bench: Bench) -> list[Transition]:
        """Takes it on a bench."""
        return bench.clear(self.name, self.by)


class Spared(NamedTuple):
    """An operator takes a model out of the hold of its whole provider."""

    model: str
    by: str

    @property
    def name(self) -> str:
        """Whose step it is."""
        return whole_provider(self.model)

    def take(self, bench: Bench) -> list[Transition]:
        """Takes it on a bench."""
        return bench.spare(self.model, self.by)


ORDERS: Final = (Held, Cleared, Spared)
"""An operator's steps."""


class Expired(NamedTuple):
    """A stay or a trial has come to its end."""

    name: str

    def take(self, bench: Bench) -> list[Transition]:
        """Takes it on a bench."""
        return [transition for transition in bench.expire() if transition.name == self.name]


class Mended(NamedTuple):
    """The clock was set back since a name was written: what is read of it is to be written again."""

    name: str

    def take(self, _bench: Bench) -> list[Transition]:
        """Changes nothing: reading has mended it."""
        return []


class PutBack(NamedTuple):
    """What one engine knows of a name, for a store that has lost it. Nobody is told of it.

    Attributes:
        entry: What the engine knows, on the clock of the bench it is put on.
        over: A text of the name that is older than that, and counts as lost, too; empty for none.
    """

    entry: Entry
    over: str = ""

    @property
    def name(self) -> str:
        """Whose step it is."""
        return self.entry.name

    def shifted(self, by_s: float) -> Self:
        """The same on a clock that is ahead by so many seconds."""
        return self._replace(entry=self.entry.shifted(by_s))

    def take(self, bench: Bench) -> list[Transition]:
        """Takes it on a bench: what is there already counts."""
        if bench.entry(self.name) is None:
            bench.put([self.entry])
        return []


Direct = Failed | Succeeded | GivenBack | Extended | TrialTaken | Held | Cleared | Spared | Expired | Mended


class Late(NamedTuple):
    """A step that was taken while the store was away.

    Attributes:
        step: The step.
        at: When, on the clock of the bench it is taken on.
    """

    step: Direct
    at: float


class Replayed(NamedTuple):
    """Steps taken while the store was away, each as of its time. They were told of then.

    Attributes:
        name: Whose steps they are.
        steps: In their order.
        entry: What came of them, for a store that has lost the name; on the clock of the bench.
        over: As for `PutBack`.
    """

    name: str
    steps: tuple[Late, ...]
    entry: Entry | None
    over: str = ""

    def shifted(self, by_s: float) -> Self:
        """The same on a clock that is ahead by so many seconds."""
        late = tuple(each._replace(at=each.at + by_s) for each in self.steps)
        return self._replace(steps=late, entry=self.entry and self.entry.shifted(by_s))


Taken = Direct | PutBack | Replayed


def take(step: Taken, entries: Iterable[Entry], now: float) -> tuple[Entry | None, list[Transition]]:
    """Takes a step on what a store knows.

    Args:
        step: The step.
        entries: The entries of its name and of `provider/*`, as far as there are any, on the store's
            clock. They are changed.
        now: The store's time, seconds.

    Returns:
        The name's entry after it, None if there is none; and what took place.
    """
    clock = [now]
    bench = Bench(lambda: clock[0])
    bench.put(entries)
    if not isinstance(step, Replayed):
        transitions = _taken(step, bench)
        return bench.entry(step.name), transitions
    if step.entry is not None and bench.entry(step.name) is None:
        bench.put([step.entry])
        return step.entry, []
    for late, clock[0] in step.steps:
        if not _is_overtaken(late, bench.entry(step.name), clock[0]):
            _taken(late, bench)
    return bench.entry(step.name), []


def _taken(step: Direct | PutBack, bench: Bench) -> list[Transition]:
    if isinstance(step, Failed) and bench.entry(step.name) is None:
        # It counts, unless all of its provider was brought back since it began.
        whole = bench.entry(whole_provider(step.name))
        bench.put([Entry(step.name, max(step.ticket.generation, whole.generation if whole else 0))])
    return step.take(bench)


def _is_overtaken(step: Direct, there: Entry | None, at: float) -> bool:
    """True for an operator's order that another one, given later, has made void."""
    if there is None or not isinstance(step, ORDERS):
        return False
    stays = (there.hold,) if isinstance(step, Held) else (there.hold, there.auto)
    return any(stay is not None and stay.since > at for stay in stays)
