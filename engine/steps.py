"""The steps of the bench as values: the same step can be taken here, in the store, and again. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

from engine.bench import Bench
from engine.entry import Entry
from engine.names import whole_provider
from engine.stay import Sentence, Stay, Ticket, Transition, TrialTakenBy


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
    """A trial told nothing of its model."""

    ticket: Ticket

    @property
    def name(self) -> str:
        """Whose step it is."""
        return self.ticket.name

    def take(self, bench: Bench) -> list[Transition]:
        """Takes it on a bench."""
        return bench.give_back(self.ticket)


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
    """What one engine knows of a name, after the store was away or lost what it had. Nobody is told of it.

    Attributes:
        entry: What the engine knows, on the clock of the bench it is put on.
        acted: True if the engine's own requests changed it while the store was away.
        ordered: True if an operator did.
    """

    entry: Entry
    acted: bool
    ordered: bool

    @property
    def name(self) -> str:
        """Whose step it is."""
        return self.entry.name

    def take(self, bench: Bench) -> list[Transition]:
        """Takes it on a bench."""
        there = bench.entry(self.name)
        if there is None:
            bench.put([self.entry])
        elif self.acted or self.ordered:
            bench.put([self._merged(there)])
        return []

    def _merged(self, there: Entry) -> Entry:
        """Both of them: an operator's last word here counts, of automatic benches the one that ends later."""
        ours = self.entry
        last = ours if self.ordered else there
        auto = _later(ours.auto, there.auto)
        if self.ordered and ours.auto is None:
            auto = None  # an unbench lifted it
        from_there = auto is there.auto
        return replace(
            there if from_there else ours,
            hold=last.hold,
            spared=last.spared,
            auto=auto,
            generation=max(ours.generation, there.generation) + 1,
            failures=ours.failures if self.ordered else max(ours.failures, there.failures),
            top_level=ours.top_level if self.ordered else max(ours.top_level, there.top_level),
        )


def _later(one: Stay | None, other: Stay | None) -> Stay | None:
    if one is None or other is None:
        return one or other
    return one if one.end > other.end else other


Taken = (
    Failed
    | Succeeded
    | GivenBack
    | Extended
    | TrialTaken
    | Held
    | Cleared
    | Spared
    | Expired
    | Mended
    | PutBack
)


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
    bench = Bench(lambda: now)
    bench.put(entries)
    if isinstance(step, Failed) and bench.entry(step.name) is None:
        # It counts, unless all of its provider was brought back since it began.
        whole = bench.entry(whole_provider(step.name))
        bench.put([Entry(step.name, max(step.ticket.generation, whole.generation if whole else 0))])
    transitions = step.take(bench)
    return bench.entry(step.name), transitions
